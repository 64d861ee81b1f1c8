"""The zip archives that torch writes, read once by Python and checked: what is handed on are bytes, never the file.

torch reads archives by a parser of its own. Two parsers can be made to see two contents: so only one sees the file.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from modelyard.contract.reasons import Reason
from modelyard_kit.content import check_archive
from modelyard_kit.failure import UserFailure, WorldFailure

MAX_BYTES = 512 * 2**20
NAME = re.compile(r"[A-Za-z0-9_./-]{1,200}")
Entries = Mapping[str, bytes]


def read_archive(path: Path) -> Entries:
    """The entries of a file by name, their checksums verified.

    Raises UserFailure(UnsafeModel) for what is large, a bomb or named strangely, WorldFailure(Corrupt) for no archive.
    """
    if path.stat().st_size > MAX_BYTES:
        raise UserFailure(Reason.UNSAFE_MODEL, f"{path.name} has more than {MAX_BYTES // 2**20} MiB")
    check_archive(path)
    try:
        return entries_of(path.read_bytes())
    except ValueError as error:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} cannot be read: {error}") from error


def entries_of(data: bytes) -> Entries:
    """The same of an archive within one. Raises ValueError where it is none, or has a name twice."""
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                name = entry.filename
                if not NAME.fullmatch(name) or name.lower() in (known.lower() for known in found):
                    raise ValueError(f"an entry is named {name!r}")
                if entry.file_size > MAX_BYTES or sum(map(len, found.values())) > MAX_BYTES:
                    raise ValueError(f"it unpacks to more than {MAX_BYTES // 2**20} MiB")
                found[name] = archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(str(error)) from error
    return found


def below_folder(entries: Entries) -> Entries:
    """torch puts the entries into one folder: their names without it. Raises ValueError where it is not so."""
    folders = {name.partition("/")[0] for name in entries}
    if len(folders) != 1 or any("/" not in name for name in entries):
        raise ValueError("its entries are not in one folder, as torch writes them")
    if entries.get(f"{next(iter(folders))}/byteorder", b"little") != b"little":
        raise ValueError("it was written on a big-endian machine: save it on a common one")
    return {name.partition("/")[2]: data for name, data in entries.items()}


def written(entries: Entries, folder: str = "model") -> io.BytesIO:
    """An archive of exactly these entries, for torch to read."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), data)
    held.seek(0)
    return held
