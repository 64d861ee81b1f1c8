"""Builds by a Docker engine."""

from pathlib import Path

from images.builder.debian import DEBIAN, make_rootfs
from images.builder.shell import CommandError, run, succeeds


class Docker:
    layered = False  # kind loads whole archives

    def prepare(self) -> None:
        if self.exists(DEBIAN):
            return
        try:
            run(["docker", "pull", DEBIAN], tries=2)
        except CommandError:  # no registry is reached: the same system from Debian's packages
            with make_rootfs() as archive:
                run(["docker", "import", str(archive), DEBIAN])

    def exists(self, ref: str) -> bool:
        return succeeds(["docker", "image", "inspect", ref])

    def build(self, ref: str, dockerfile: Path, context: Path, stage: str | None, base: str | None) -> None:
        command = ["docker", "build", "--network", "host", "--tag", ref, "--file", str(dockerfile)]
        command += ["--target", stage] if stage else []
        command += ["--build-arg", f"BASE={base}"] if base else []
        run([*command, str(context)], {"DOCKER_BUILDKIT": "1"}, tries=2)

    def save(self, ref: str, archive: Path, parent: str | None) -> None:
        run(["docker", "save", "--output", str(archive), ref])
