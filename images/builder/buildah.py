"""Builds by buildah without a daemon; chroot isolation needs no more rights than root in a container has."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from images.builder.debian import DEBIAN, make_rootfs
from images.builder.pip import pip_configuration
from images.builder.shell import need_debian_packages, run, succeeds

CHROOT = {"BUILDAH_ISOLATION": "chroot"}
HOST_FILES = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")


class Buildah:
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

    def save(self, ref: str, archive: Path) -> None:
        run(["buildah", "push", _full(ref), f"docker-archive:{archive}:{_full(ref)}"])


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
