"""Downloads sources to the scratch volume, each file as it was listed."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import obstore

from modelyard.contract.reasons import Reason
from modelyard.contract.store import StoreConfig
from modelyard_dataset.access import field, forbidden, not_found, refused, source_bucket, source_failure, unavailable
from modelyard_dataset.addresses import CheckedTransport, RefusedAddressError
from modelyard_dataset.listing import SourceFile
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.objects import trouble

Fetched = dict[str, list[Path]]  # files by the source's name
CHUNK = 1024 * 1024


def fetch_all(
    files: Sequence[SourceFile], store: StoreConfig, folder: Path, say: Callable[[int, str], None]
) -> Fetched:
    """Downloads all files; `say` gets the bytes so far and what is being read. Raises UserFailure or WorldFailure."""
    fetched: Fetched = {}
    done = 0
    for number, file in enumerate(files):
        target = folder / file.source.name / f"{number:05d}-{file.uri.rpartition('/')[2].partition('?')[0]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        say(done, file.uri)
        digest = _from_https(file, target) if not file.bucket else _from_bucket(file, store, target)
        _check(file, digest)
        done += target.stat().st_size
        fetched.setdefault(file.source.name, []).append(target)
    return fetched


def _from_bucket(file: SourceFile, store: StoreConfig, target: Path) -> str:
    bucket = source_bucket(file.source, file.bucket, store)
    sha = hashlib.sha256()
    try:
        # Only the version that was listed: a build must not mix two states of a source.
        options: obstore.GetOptions = {"if_match": file.etag} if file.etag else {}
        with target.open("wb") as out:
            for chunk in obstore.get(bucket, file.path, options=options).stream(min_chunk_size=CHUNK):
                sha.update(chunk)
                out.write(chunk)
    except obstore.exceptions.BaseError as error:
        raise source_failure(file.source, error) from error
    except OSError as error:
        raise _local(file, error) from error
    return sha.hexdigest()


def _from_https(file: SourceFile, target: Path) -> str:
    sha = hashlib.sha256()
    limits = httpx.Timeout(30, read=60)
    try:
        with (
            httpx.Client(transport=CheckedTransport(), follow_redirects=True, timeout=limits) as client,
            client.stream("GET", file.uri) as answer,
            target.open("wb") as out,
        ):
            _check_status(file, answer.status_code)
            for chunk in answer.iter_bytes(CHUNK):
                sha.update(chunk)
                out.write(chunk)
    except RefusedAddressError as error:
        raise refused(file.source, "uri", error) from error
    except httpx.HTTPError as error:
        raise unavailable(file.source, f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise _local(file, error) from error
    return sha.hexdigest()


def _check_status(file: SourceFile, status: int) -> None:
    if status in (401, 403):
        raise forbidden(file.source)
    if status == 429 or status >= 500:
        raise unavailable(file.source, f"it answered {status}")
    if status != 200:
        raise not_found(file.source, f"it answered {status}")


def _check(file: SourceFile, digest: str) -> None:
    wanted = file.source.sha256
    if wanted and digest != wanted:
        raise UserFailure(
            Reason.CHECKSUM_MISMATCH,
            f"{field(file.source)}.sha256 is {wanted}, but {file.uri} has {digest}: "
            "if the file was meant to change, write the new sum",
        )


def _local(file: SourceFile, error: OSError) -> WorldFailure | UserFailure:
    """obstore reports a missing object as FileNotFoundError without an errno; all others are the pod's disk."""
    if error.errno is None and trouble(error) == "missing":
        return not_found(file.source, "the file was removed after it was listed")
    return WorldFailure(Reason.INTERNAL_ERROR, f"the pod's scratch disk failed while reading {file.uri}: {error}")
