"""What the node needs of the machine: Linux, root and some Debian packages."""

import os
import shutil
import subprocess
import sys

from tests.cluster.node.runtime import plugin_folder
from tests.cluster.progress import step
from tests.cluster.provider import ClusterError

PACKAGES = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
    "openssl": "openssl",
}


def check_machine() -> None:
    if sys.platform != "linux":
        raise ClusterError("the embedded node needs Linux: start Docker and use --provider kind")
    if os.geteuid() != 0:
        raise ClusterError("the embedded node needs root: run this with sudo, or start Docker for --provider kind")


def ensure() -> None:
    check_machine()
    packages = missing()
    if not packages:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(f"please install (Debian's names): {' '.join(packages)}")
    with step(f"installing {' '.join(packages)}"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "--quiet"], ["install", "--yes", "--no-install-recommends", *packages]):
            done = subprocess.run(["apt-get", *arguments], env=env, capture_output=True, text=True, check=False)
            if done.returncode and arguments[0] == "install":
                raise ClusterError(f"apt-get could not install {' '.join(packages)}:\n{done.stderr[-2000:]}")


def missing() -> list[str]:
    absent = {package for program, package in PACKAGES.items() if shutil.which(program) is None}
    if plugin_folder() is None:
        absent.add("containernetworking-plugins")
    return sorted(absent)
