"""Where things lie on this machine: one folder under the user's cache directory."""

import os
from pathlib import Path


def cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "modelyard"


def binaries_dir() -> Path:
    return cache_dir() / "bin"


def cluster_dir(name: str) -> Path:
    return cache_dir() / "clusters" / name


def kubeconfig_path(name: str) -> Path:
    """The same file whichever provider wrote it, and still there (empty of a cluster) after `down`."""
    return cache_dir() / f"{name}.kubeconfig"
