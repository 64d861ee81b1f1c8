"""Downloads an object into a file, going on by ranged GETs where a connection broke or an earlier call left off.

obstore goes on after a few breaks itself; then it gives up, however much came in between, and forgets what had come.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from obstore.store import ObjectStore

from modelyard_kit.objects import OBJECT_ERRORS, brief, is_of_disk, trouble

CHUNK = 1024 * 1024  # what has come of one is lost in a break
PAUSES = (0.1, 0.5, 2.0, 5.0)  # seconds after breaks in a row; a chunk that comes begins them anew

log = logging.getLogger(__name__)


def download(bucket: ObjectStore, path: str, part: Path, size: int) -> str:
    """Appends to `part` what it lacks of the object of `size` bytes. Returns `sha256:<hex>` of the whole file.

    Raises obstore's errors where the store fails or breaks go on, and OSError of the disk: what came stays in `part`.
    """
    pauses = iter(PAUSES)
    with part.open("a+b") as file:
        sha = _known(file, size)
        while (done := file.tell()) < size:
            try:
                for chunk in _rest(bucket, path, done, size):
                    file.write(chunk)
                    sha.update(chunk)
                    pauses = iter(PAUSES)
            except OBJECT_ERRORS as error:
                pause = next(pauses, None)
                if pause is None or is_of_disk(error) or trouble(error) != "unavailable":
                    raise
                log.warning("%s broke off after %d of %d bytes, and goes on: %s", path, file.tell(), size, brief(error))
                time.sleep(pause)
    return f"sha256:{sha.hexdigest()}"


def _known(file: IO[bytes], size: int) -> Any:
    """The sha256 of what is there, with the file at its end; of nothing where it cannot be the object's beginning."""
    sha = hashlib.sha256()
    if file.tell() > size:
        file.truncate(0)
    file.seek(0)
    while chunk := file.read(CHUNK):
        sha.update(chunk)
    return sha


def _rest(bucket: ObjectStore, path: str, done: int, size: int) -> Iterator[bytes]:
    """The object's bytes from `done` up to `size`. Raises ConnectionError where they are fewer."""
    came = done
    for chunk in bucket.get(path, options={"range": (done, size)}).stream(min_chunk_size=CHUNK):
        came += len(chunk)
        yield bytes(chunk)
    if came < size:
        raise ConnectionError(f"only {came} of {size} bytes came")
