"""Debian's root file system from its packages, for machines that reach no container registry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from images.builder.shell import need_debian_packages, run

DEBIAN = "docker.io/library/debian:trixie-slim"  # the name its stand-in gets, too
PACKAGES = "python3,python3-venv,ca-certificates,libgomp1"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


@contextmanager
def make_rootfs() -> Iterator[Path]:
    """A tar of Debian trixie with Python, deleted afterwards. Takes about a minute, needs root."""
    need_debian_packages({"mmdebstrap": "mmdebstrap"})
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "debian.tar"
        slim = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
        run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", *slim, "trixie", str(archive)], tries=2)
        yield archive
