"""Builds what is not there yet, parents first, and writes archives for a cluster that reaches no registry."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from images.builder.catalog import IMAGES, ROOT, Image, chain, ref
from images.builder.engine import Engine, engine


@dataclass(frozen=True)
class Built:
    """`archives` are to be loaded in their order: of the images it starts from, then its own."""

    name: str
    ref: str
    archives: tuple[Path, ...]


def build(names: list[str], archives: bool = True, known: Mapping[str, Image] = IMAGES) -> list[Built]:
    """Builds the named images, which are `known` with all they start from: tests bring some that are not the product's.

    Raises CommandError with the last lines of the program that failed.
    """
    with _alone():
        run = _Run(engine(), names, known)
        run.build()
        return [Built(name, run.refs[name], run.archives(name) if archives else ()) for name in names]


class _Run:
    """One run names each image once: files may change while others are built."""

    def __init__(self, made: Engine, names: list[str], known: Mapping[str, Image]) -> None:
        self.engine = made
        self.known = known
        self.images = chain(names, known)
        self.refs = {image.name: ref(image.name, known) for image in self.images}

    def build(self) -> None:
        self.engine.prepare()
        for image in self.images:
            self._build(image)

    def archives(self, name: str) -> tuple[Path, ...]:
        images = chain([name], self.known) if self.engine.layered else [self.known[name]]
        return tuple(self._archive(image) for image in images)

    def _build(self, image: Image) -> None:
        own = self.refs[image.name]
        if self.engine.exists(own):
            _say(f"{image.name}: unchanged")
            return
        self._path(image).unlink(missing_ok=True)  # of an earlier build of the same inputs: its layers are others
        started = time.monotonic()
        base = self.refs[image.parent] if image.parent and not image.stage else None
        self.engine.build(own, ROOT / image.dockerfile, ROOT, image.stage, base)
        _say(f"{image.name}: built in {time.monotonic() - started:.1f} s")

    def _archive(self, image: Image) -> Path:
        archive = self._path(image)
        if archive.exists():
            return archive
        started = time.monotonic()
        part = archive.with_suffix(".part")
        part.unlink(missing_ok=True)
        self.engine.save(self.refs[image.name], part, self.refs[image.parent] if image.parent else None)
        part.replace(archive)
        for old in archive.parent.glob(f"modelyard-{image.name}-*.tar"):
            if old != archive:
                old.unlink()
        _say(f"{image.name}: archived in {time.monotonic() - started:.1f} s ({archive.stat().st_size >> 10} KiB)")
        return archive

    def _path(self, image: Image) -> Path:
        kind = "layers" if self.engine.layered else "image"
        return _cache() / f"{self.refs[image.name].replace('/', '-').replace(':', '-')}.{kind}.tar"


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
