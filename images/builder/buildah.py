"""Builds by buildah without a daemon; chroot isolation needs no more rights than root in a container has."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from images.builder.debian import DEBIAN, make_rootfs
from images.builder.layered import write_layered
from images.builder.pip import pip_configuration
from images.builder.shell import need_debian_packages, run, succeeds

CHROOT = {"BUILDAH_ISOLATION": "chroot"}
HOST_FILES = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")


class Buildah:
    layered = True

    def prepare(self) -> None:
        need_debian_packages({"buildah": "buildah", "mmdebstrap": "mmdebstrap"})
        if self.exists(DEBIAN):
            return
        with make_rootfs() as archive:
            container = run(["buildah", "from", "scratch"]).strip()
            try:
                run(["buildah", "add", container, str(archive), "/"])
                run(["buildah", "commit", container, DEBIAN])
            finally:
                run(["buildah", "rm", container])

    def exists(self, ref: str) -> bool:
        return succeeds(["buildah", "inspect", "--type", "image", _full(ref)])

    def build(self, ref: str, dockerfile: Path, context: Path, stage: str | None, base: str | None) -> None:
        command = ["buildah", "bud", "--layers", "--pull-never", "--network", "host", "--tag", _full(ref)]
        command += ["--file", str(dockerfile)]
        command += ["--target", stage] if stage else []
        command += ["--build-arg", f"BASE={_full(base)}"] if base else []
        with _mounts() as mounts:
            run([*command, *mounts, str(context)], CHROOT, tries=2)

    def save(self, ref: str, archive: Path, parent: str | None) -> None:
        with TemporaryDirectory(dir=archive.parent) as folder:
            full = Path(folder) / "full.tar"
            run(["buildah", "push", _full(ref), f"docker-archive:{full}:{_full(ref)}"])
            write_layered(full, archive, _full(ref), _layers(parent) if parent else [])

    def run(self, ref: str, command: Sequence[str], mounts: Mapping[Path, str], environment: Mapping[str, str]) -> int:
        words = [word for source, target in mounts.items() for word in ("--volume", f"{source}:{target}:ro")]
        words += [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        container = run(["buildah", "from", "--pull-never", _full(ref)]).strip()
        try:
            settings = {**os.environ, **CHROOT}
            return subprocess.run(["buildah", "run", *words, container, "--", *command], env=settings).returncode
        finally:
            run(["buildah", "rm", container])


def _layers(ref: str) -> list[str]:
    image = json.loads(run(["buildah", "inspect", "--type", "image", _full(ref)]))
    return list(image["OCIv1"]["rootfs"]["diff_ids"])


def _full(ref: str) -> str:
    """As kubelet and Docker read a name without a registry; buildah would say localhost/."""
    return ref if ref.startswith("docker.io/") else f"docker.io/{ref}"


@contextmanager
def _mounts() -> Iterator[list[str]]:
    """How the host reaches registries, for pip in RUN steps; nothing of it stays in the image."""
    with TemporaryDirectory() as folder:
        configuration = Path(folder) / "pip.conf"
        configuration.write_text(pip_configuration())
        pairs = {name: name for name in HOST_FILES if Path(name).is_file()} | {str(configuration): "/etc/pip.conf"}
        yield [word for source, target in pairs.items() for word in ("--volume", f"{source}:{target}:ro")]
