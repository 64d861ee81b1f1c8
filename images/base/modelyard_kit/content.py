"""What a file is, by its content whatever its name says: pickles and bombs are known before anything reads them."""

import pickletools
import stat
import zipfile
from pathlib import Path

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure, WorldFailure

COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x04\x22\x4d\x18")
SAFETENSORS = bytes(6) + b"{"  # after a header's length of less than 64 KiB, which may look like zlib's first bytes
UNREADABLE = (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError)  # what zipfile says of damaged ones
MAX_UNPACKED = 4 * 2**30  # bytes
MAX_RATIO = 200  # of unpacked to packed; arrays of trees reach 50
FREE = 64 * 2**20  # bytes that may be packed as tightly as they will


def refuse_pickle(path: Path, in_archives: bool = True) -> None:
    """Raises UserFailure(UnsafeModel) for a pickle, and for what joblib and torch wrap theirs in; torch's archives are
    left to the format's own loader where not `in_archives`."""
    with path.open("rb") as file:
        head = file.read(9)
    if head.startswith(COMPRESSED) and head[2:] != SAFETENSORS:
        raise _unsafe(f"{path.name} is compressed, as joblib writes pickles")
    if zipfile.is_zipfile(path):
        pickled = [name for name in _names(path) if name.endswith(".pkl")]
        if pickled and in_archives:
            raise _unsafe(f"{path.name} holds the pickle {pickled[0]}")
    elif _is_pickle(path):
        raise _unsafe(f"{path.name} is a pickle")


def _names(path: Path) -> list[str]:
    """None where the archive is damaged: then its loader says so."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except UNREADABLE:
        return []


def _is_pickle(path: Path) -> bool:
    """Whether its operations can be read to the end. None of them is carried out."""
    try:
        with path.open("rb") as file:
            return sum(1 for _ in pickletools.genops(file)) > 0
    except Exception:  # whatever its operations' arguments are not
        return False


def _unsafe(what: str) -> UserFailure:
    return UserFailure(Reason.UNSAFE_MODEL, f"{what}: it could run any code when it is loaded; save the model as skops")


def check_archive(path: Path) -> None:
    """A zip file whose entries are files of a sane size. Raises TaskFailure: Corrupt, or UnsafeModel for a bomb."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (*UNREADABLE, OSError) as error:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} is no zip archive: {error}") from error
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > min(MAX_UNPACKED, max(FREE, MAX_RATIO * path.stat().st_size)):
        raise UserFailure(Reason.UNSAFE_MODEL, f"{path.name} unpacks to {unpacked:,} bytes: no model of ours does")
    for entry in entries:
        name = entry.filename
        if stat.S_ISLNK(entry.external_attr >> 16) or name.startswith("/") or ".." in name.split("/"):
            raise UserFailure(Reason.UNSAFE_MODEL, f"{path.name} holds {name!r}, which leads out of it")
