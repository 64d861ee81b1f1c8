"""Lists what the sources hold now: enough to tell, without reading them, whether anything changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import obstore

from modelyard.contract.document import digest_of
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import SourceTask
from modelyard_dataset.access import not_found, source_bucket, source_failure
from modelyard_kit.objects import OBJECT_ERRORS


@dataclass(frozen=True)
class SourceFile:
    """`identity` changes whenever the content may have: etag and size, or the sha256 that is required of https."""

    source: SourceTask
    uri: str
    bucket: str  # empty for https
    path: str
    identity: str
    size: int
    etag: str | None = None


def list_sources(sources: Sequence[SourceTask], store: StoreConfig) -> list[SourceFile]:
    """The files of all sources, in the order of source and name. Raises UserFailure or WorldFailure."""
    return [file for source in sources for file in _list(source, store)]


def inputs_digest(files: Sequence[SourceFile]) -> str:
    return digest_of(sorted([file.source.name, file.uri, file.identity] for file in files))


def _list(source: SourceTask, store: StoreConfig) -> list[SourceFile]:
    if source.uri.startswith("https://"):
        return [SourceFile(source, source.uri, "", "", f"sha256:{source.sha256}", 0)]
    bucket, _, path = source.uri.removeprefix("s3://").partition("/")
    folder, _, pattern = path.rpartition("/")
    if "*" in folder:
        raise not_found(source, "* is allowed in the file name only, not in a folder")
    try:
        found = _matching(source_bucket(source, bucket, store), folder, path, pattern)
    except OBJECT_ERRORS as error:
        raise source_failure(source, error) from error
    files = [
        SourceFile(source, f"s3://{bucket}/{path}", bucket, path, f"{etag}:{size}", size, etag)
        for path, size, etag in sorted(found)
    ]
    if not files:
        raise not_found(source, "no file matches")
    return files


def _matching(bucket: obstore.store.ObjectStore, folder: str, path: str, pattern: str) -> list[tuple[str, int, str]]:
    """(path, bytes, etag) of the files that a path names or matches; folders below it are not searched."""
    if "*" not in pattern:
        metas = [obstore.head(bucket, path)]
    else:
        listed = obstore.list_with_delimiter(bucket, f"{folder}/" if folder else None)
        metas = [meta for meta in listed["objects"] if fnmatchcase(meta["path"].rpartition("/")[2], pattern)]
    return [(meta["path"], meta["size"], meta["e_tag"] or str(meta["last_modified"])) for meta in metas]
