"""The two engines that build images, behind one interface."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from images.builder.buildah import Buildah
from images.builder.docker import Docker
from images.builder.shell import succeeds


class Engine(Protocol):
    layered: bool

    def prepare(self) -> None:
        """Makes sure that Debian's image and all tools are there."""

    def exists(self, ref: str) -> bool: ...

    def build(self, ref: str, dockerfile: Path, context: Path, stage: str | None, base: str | None) -> None:
        """Builds `stage` of a Dockerfile, or all of it, with `base` as its build argument BASE."""

    def save(self, ref: str, archive: Path, parent: str | None) -> None:
        """Writes an archive. Where `layered`, it leaves out the parent's layers, to be loaded before it."""

    def run(self, ref: str, command: Sequence[str], mounts: Mapping[Path, str], environment: Mapping[str, str]) -> int:
        """The command's exit code, in a container of the image with these folders, to be read only. What it prints is
        seen."""


def engine() -> Engine:
    """Docker where its engine answers, else buildah."""
    return Docker() if succeeds(["docker", "info"]) else Buildah()
