"""Builds by a Docker engine."""

import subprocess
from collections.abc import Mapping, Sequence
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

    def run(self, ref: str, command: Sequence[str], mounts: Mapping[Path, str], environment: Mapping[str, str]) -> int:
        words = [word for source, target in mounts.items() for word in ("--volume", f"{source}:{target}:ro")]
        words += [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        own = ["--rm", "--network", "none", "--entrypoint", command[0]]
        return subprocess.run(["docker", "run", *own, *words, ref, *command[1:]]).returncode
