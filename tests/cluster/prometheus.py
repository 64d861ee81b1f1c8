"""Prometheus and promtool: those on PATH, else taken out of Debian's package into the cache.

The package is only unpacked: needs no root, and starts no service as installing it would.
The Prometheus Operator's kinds come out of its Go module, checked by go.sum.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster import toolchain
from tests.cluster.build import SOURCES
from tests.cluster.lock import exclusive
from tests.cluster.paths import cache_dir
from tests.cluster.progress import step
from tests.cluster.provider import ClusterError

PACKAGE = "prometheus"


def program(name: str) -> Path:
    """`name` is prometheus or promtool. Raises ClusterError where there is neither the program nor apt."""
    on_path = shutil.which(name)
    return Path(on_path) if on_path else _unpacked() / "usr" / "bin" / name


def definitions() -> Path:
    """The folder of the Prometheus Operator's CRDs, `monitoring.coreos.com_<plural>.yaml`."""
    module = "github.com/prometheus-operator/prometheus-operator"
    command = [str(toolchain.go()), "mod", "download", "-json", module]
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    answer = subprocess.run(
        command, cwd=SOURCES / "prometheus-operator", env=env, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise ClusterError(f"the Go module {module} could not be had: {answer.stdout}{answer.stderr}")
    return Path(json.loads(answer.stdout)["Dir"]) / "example" / "prometheus-operator-crd"


def _unpacked() -> Path:
    target = cache_dir() / PACKAGE
    if not target.exists():
        with exclusive(cache_dir() / f"{PACKAGE}.lock", f"unpacking {PACKAGE}"):
            if not target.exists():
                with step(f"unpacking Debian's package {PACKAGE}"):
                    _unpack(target)
    return target


def _unpack(target: Path) -> None:
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise ClusterError(f"please install Prometheus with promtool: there is no {missing[0]} to get Debian's with")
    scratch = target.with_suffix(".unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial", "files"):
        (scratch / folder).mkdir(parents=True)
    _download(scratch)
    (package,) = scratch.glob(f"{PACKAGE}_*.deb")
    _run(["dpkg-deb", "--extract", str(package), str(scratch / "files")], scratch)
    (scratch / "files").rename(target)
    shutil.rmtree(scratch)


def _download(folder: Path) -> None:
    """By the machine's package lists, or where these are absent or old by new ones: its own need root to renew."""
    options = ["-o", "APT::Sandbox::User="]
    own = [*options, "-o", f"Dir::State::Lists={folder}/lists", "-o", f"Dir::Cache={folder}"]
    try:
        _run(["apt-get", *options, "download", PACKAGE], folder)
    except ClusterError:
        _run(["apt-get", *own, "update"], folder)
        _run(["apt-get", *own, "download", PACKAGE], folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ClusterError(f"{' '.join(command)} failed; please install Prometheus\n{done.stderr[-2000:]}")
