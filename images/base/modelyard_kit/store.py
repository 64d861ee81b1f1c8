"""The object store: content-addressed blobs, JSON documents, references changed by compare-and-swap.

All paths are relative to the store's URI. Layout: modelyard.contract.store.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from modelyard.contract.document import Document, digest_bytes
from modelyard.contract.reasons import Reason
from modelyard.contract.store import StoreConfig, blob
from modelyard_kit.download import download
from modelyard_kit.failure import WorldFailure
from modelyard_kit.objects import OBJECT_ERRORS, brief, is_of_disk, open_bucket, trouble

D = TypeVar("D", bound=Document)
ONE_PUT = 256 * 1024 * 1024  # larger blobs go up in parts, which cannot be create-only; equal content makes it safe


class StoreError(WorldFailure):
    """The store failed or refused."""

    def __init__(self, message: str, reason: Reason = Reason.STORE_UNAVAILABLE) -> None:
        super().__init__(reason, message)


class MissingError(StoreError):
    """There is no object of that path."""


class ExistsError(StoreError):
    """An object that was to be created is there already."""


class ConflictError(StoreError):
    """A reference was changed by someone else since it was read."""


@dataclass(frozen=True)
class Entry:
    path: str
    size: int
    etag: str | None
    modified: datetime


class Store:
    """One store. Thread-safe. Every method raises `StoreError` where the store fails or refuses."""

    def __init__(self, config: StoreConfig) -> None:
        self.config = config
        self._bucket = open_bucket(config.uri, config.endpoint, config.region)

    def put_blob(self, content: bytes | Path) -> str:
        """Stores bytes or a file under their sha256, unless they are there. Returns `sha256:<hex>`."""
        digest = digest_bytes(content) if isinstance(content, bytes) else digest_file(content)
        path = blob(digest)
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        with self._translated(path):
            if size > ONE_PUT:
                if self.etag(path) is None:
                    self._bucket.put(path, content)
                return digest
            try:
                self._bucket.put(path, content, mode="create", use_multipart=False)
            except OBJECT_ERRORS as error:
                if trouble(error) != "exists":
                    raise
        return digest

    def get_blob(self, digest: str, target: Path, size: int | None = None) -> None:
        """Downloads a blob to `target`, which appears only once its sha256 is verified (`StoreError`, Corrupt).

        Goes on where a connection broke, or where an earlier call for the same `target` left off. A blob that has
        not the `size` in bytes that its manifest says is Corrupt before any of it is written.
        """
        part = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        path = blob(digest)
        with self._translated(path):
            there = self._bucket.head(path)["size"]
            if size is not None and there != size:
                raise StoreError(
                    f"{path} in the store is damaged: it has {there} bytes, not {size}; rebuild what wrote it",
                    Reason.CORRUPT,
                )
            before = part.stat().st_size if part.exists() else 0
            _check_room(part, there - before)
            found = download(self._bucket, path, part, there)
            if found != digest and before:  # an earlier call's part may be another's
                part.unlink()
                found = download(self._bucket, path, part, there)
        if found != digest:
            part.unlink()
        _verify(path, found, digest)
        part.replace(target)

    def blob_bytes(self, digest: str) -> bytes:
        """A small blob, verified (`StoreError`, Corrupt)."""
        data = self.get(blob(digest))
        _verify(blob(digest), digest_bytes(data), digest)
        return data

    def get(self, path: str) -> bytes:
        with self._translated(path):
            return bytes(self._bucket.get(path).bytes())

    def put(self, path: str, data: bytes) -> None:
        """Writes an object, replacing what is there."""
        with self._translated(path):
            self._bucket.put(path, data)

    def put_new(self, path: str, data: bytes | Path) -> None:
        """Writes an object that must not exist yet (`ExistsError`)."""
        with self._translated(path):
            self._bucket.put(path, data, mode="create", use_multipart=False)

    def get_document(self, path: str, kind: type[D], digest: str | None = None) -> D:
        """A JSON document; with `digest`, its bytes must have it (`StoreError`, Corrupt)."""
        data = self.get(path)
        if digest is not None:
            _verify(path, digest_bytes(data), digest)
        return kind.model_validate_json(data)

    def put_document(self, path: str, document: Document) -> None:
        """Writes a document's canonical JSON, replacing what is there."""
        self.put(path, document.canonical().encode())

    def put_manifest(self, path: str, document: Document) -> None:
        """Writes an immutable document; one that is there already is the same."""
        try:
            self.put_new(path, document.canonical().encode())
        except ExistsError:
            return

    def etag(self, path: str) -> str | None:
        """The version of an object, or None where there is none."""
        try:
            with self._translated(path):
                return self._bucket.head(path)["e_tag"]
        except MissingError:
            return None

    def get_ref(self, path: str, kind: type[D]) -> tuple[D, str | None] | None:
        """A reference and its version for `swap_ref`, or None where there is none."""
        try:
            with self._translated(path):
                found = self._bucket.get(path)
                return kind.model_validate_json(bytes(found.bytes())), found.meta["e_tag"]
        except MissingError:
            return None

    def swap_ref(self, path: str, document: Document, etag: str | None) -> None:
        """Replaces the version `etag` of a reference, or creates it where `etag` is None. Raises `ConflictError`."""
        mode: Any = "create" if etag is None else {"e_tag": etag}
        try:
            with self._translated(path):
                self._bucket.put(path, document.canonical().encode(), mode=mode)
        except ExistsError as error:
            raise ConflictError(error.message) from error

    def entries(self, prefix: str) -> Iterator[Entry]:
        """The objects below a prefix that ends at a slash, in the order of their paths."""
        with self._translated(prefix):
            for batch in self._bucket.list(prefix):
                for item in batch:
                    yield Entry(item["path"], item["size"], item["e_tag"], item["last_modified"])

    def folders(self, prefix: str) -> list[str]:
        """The folders directly below a prefix that ends at a slash, sorted; each ends at a slash."""
        with self._translated(prefix):
            return sorted(f"{path}/" for path in self._bucket.list_with_delimiter(prefix)["common_prefixes"])

    def delete(self, paths: list[str]) -> None:
        with self._translated(paths[0] if paths else ""):
            self._bucket.delete(paths)

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        try:
            yield
        except OBJECT_ERRORS as error:
            raise self._error(error, path) from error

    def _error(self, error: Exception, path: str) -> StoreError:
        where = f"{self.config.uri}/{path}"
        if is_of_disk(error):
            return StoreError(f"the pod's disk failed for {where}: {error}", Reason.INTERNAL_ERROR)
        match trouble(error):
            case "missing":
                return MissingError(f"the store has no {where}", Reason.CORRUPT)
            case "exists":
                return ExistsError(f"{where} exists already")
            case "conflict":
                return ConflictError(f"{where} was changed by someone else in the meantime")
            case "forbidden":
                key = "set" if os.environ.get("AWS_ACCESS_KEY_ID") else "not set"
                return StoreError(
                    f"the store refused {where} (AWS_ACCESS_KEY_ID is {key}): check the store's Secret and bucket"
                )
        return StoreError(f"the store does not answer for {where}: {brief(error)}")


def digest_file(path: Path) -> str:
    """`sha256:<hex>` of a file's content."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _check_room(part: Path, size: int) -> None:
    """Raises where the volume cannot take so many bytes more: a full one would harm whatever else writes there."""
    free = shutil.disk_usage(part.parent).free
    if free < size:
        raise StoreError(
            f"{part.name} needs {size} bytes more, and {free} are free on the pod's disk: raise "
            "spec.resources.limits.ephemeral-storage",
            Reason.INTERNAL_ERROR,
        )


def _verify(path: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise StoreError(
            f"{path} in the store is damaged: its content is {found}, not {wanted}; rebuild what wrote it",
            Reason.CORRUPT,
        )
