"""Builds the Go programs under `go/` once, into the cache.

A program's folder there is named by the hash of what it is built from, so a changed module is a new folder.
"""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import toolchain
from tests.cluster.lock import exclusive
from tests.cluster.paths import binaries_dir, cache_dir
from tests.cluster.progress import step
from tests.cluster.provider import ClusterError

SOURCES = Path(__file__).parent / "go"
_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Tool:
    package: str = "."
    link: tuple[str, ...] = ()  # variables set at link time
    aliases: tuple[str, ...] = ()
    expect: str = ""


TOOLS = {
    "kubernetes": Tool(
        link=(f"{_VERSION}.gitVersion=v1.34.4", f"{_VERSION}.gitMajor=1", f"{_VERSION}.gitMinor=34"),
        aliases=("kubectl",),
        expect="about 6 minutes on 2 cores",
    ),
    "coredns": Tool(expect="about 2 minutes on 2 cores"),
    "pause": Tool(),
    "helm": Tool("helm.sh/helm/v4/cmd/helm", ("helm.sh/helm/v4/internal/version.version=v4.3.1",)),
    "helm3": Tool(
        "helm.sh/helm/v3/cmd/helm",
        (
            "helm.sh/helm/v3/internal/version.version=v3.22.0",
            # What `helm template` takes for the cluster's version.
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=34",
        ),
    ),
    "kind": Tool("sigs.k8s.io/kind"),
    "kwok": Tool("sigs.k8s.io/kwok/cmd/kwok", expect="about 90 seconds on 2 cores"),
    "jobset": Tool("sigs.k8s.io/jobset", expect="about 90 seconds on 2 cores"),
    "trainer": Tool(
        "github.com/kubeflow/trainer/v2/cmd/trainer-controller-manager", expect="about 90 seconds on 2 cores"
    ),
}


def folder(name: str) -> Path:
    tool, digest = TOOLS[name], hashlib.sha256()
    for part in ("go.mod", "go.sum", "main.go"):
        path = SOURCES / name / part
        digest.update(path.read_bytes() if path.exists() else b"")
    digest.update(repr((tool.package, tool.link)).encode())
    return binaries_dir() / f"{name}-{digest.hexdigest()[:12]}"


def program(name: str, alias: str | None = None) -> Path:
    """The program's path, building it when it is not in the cache yet."""
    if name not in TOOLS:
        raise ClusterError(f"no tool {name!r}; there are {', '.join(TOOLS)}")
    target = folder(name)
    if not (target / name).exists():
        with exclusive(cache_dir() / "build.lock", "building Go programs"):
            if not (target / name).exists():
                _build(name, target)
    return target / (alias or name)


def module(name: str, path: str) -> Path:
    """Where a module that a tool is built from lies, with its manifests, in the Go module cache."""
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    command = [str(toolchain.go()), "mod", "download", "-json", path]
    done = subprocess.run(command, cwd=SOURCES / name, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"go mod download {path} failed:\n{done.stderr[-4000:] or done.stdout[-4000:]}")
    return Path(json.loads(done.stdout)["Dir"])


def _build(name: str, target: Path) -> None:
    tool, scratch = TOOLS[name], target.with_suffix(".building")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    linker = " ".join(["-s -w", *(f"-X {variable}" for variable in tool.link)])
    command = [str(toolchain.go()), "build", "-mod=readonly", "-buildvcs=false", "-trimpath",
               "-ldflags", linker, "-o", str(scratch / name), tool.package]  # fmt: skip
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    with step(f"building {name}" + (f" (once, {tool.expect})" if tool.expect else "")):
        done = subprocess.run(command, cwd=SOURCES / name, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"go build {name} failed:\n{done.stderr[-4000:]}")
    for alias in tool.aliases:
        (scratch / alias).symlink_to(name)
    shutil.rmtree(target, ignore_errors=True)
    scratch.rename(target)
