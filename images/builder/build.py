"""Builds what is not there yet, parents first, and writes an archive of each image that runs in a cluster."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from images.builder.catalog import ROOT, Image, chain, ref
from images.builder.engine import Engine, engine


@dataclass(frozen=True)
class Built:
    """`archive` is a docker-archive of the image, or None where none was asked for."""

    name: str
    ref: str
    archive: Path | None


def build(names: list[str], archives: bool = True) -> list[Built]:
    """Builds the named images. Raises CommandError with the last lines of the program that failed."""
    with _alone():
        made = engine()
        made.prepare()
        images = chain(names)
        names_of = {image.name: ref(image.name) for image in images}  # once: files may change while others are built
        for image in images:
            _build(made, image, names_of)
        return [
            Built(name, names_of[name], _archive(made, name, names_of[name]) if archives else None) for name in names
        ]


def _build(made: Engine, image: Image, names_of: Mapping[str, str]) -> None:
    own = names_of[image.name]
    if made.exists(own):
        _say(f"{image.name}: unchanged")
        return
    started = time.monotonic()
    base = names_of[image.parent] if image.parent else None
    made.build(own, ROOT / image.dockerfile, ROOT, image.stage, base)
    _say(f"{image.name}: built in {time.monotonic() - started:.1f} s")


def _archive(made: Engine, name: str, full: str) -> Path:
    folder = _cache()
    archive = folder / f"{full.replace('/', '-').replace(':', '-')}.tar"
    if not archive.exists():
        started = time.monotonic()
        part = archive.with_suffix(".part")
        part.unlink(missing_ok=True)
        made.save(full, part)
        part.replace(archive)
        for old in folder.glob(f"modelyard-{name}-*.tar"):
            if old != archive:
                old.unlink()
        _say(f"{name}: archived in {time.monotonic() - started:.1f} s ({archive.stat().st_size >> 20} MiB)")
    return archive


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "modelyard" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _alone() -> Iterator[None]:
    """Two builds at once would do the same work twice."""
    with (_cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
