"""Writes requirements/*.txt from pyproject.toml: exact versions with hashes, kept unless they no longer fit."""

import sys
from collections.abc import Mapping

from images.builder.catalog import ROOT
from images.builder.shell import run

_POD = ("--python-version", "3.13", "--python-platform", "x86_64-manylinux_2_28")  # the images' Debian
_DEV = ("--python-version", "3.11", "--universal")
PEERS = ("peer-bentoml", "peer-kserve", "peer-litserve", "peer-mosec", "peer-ray", "peer-triton")
IN_IMAGE = "in-image"
_DEV_EXTRAS = ("operator", "dataset", "training", "serving", "store")
LOCKS: Mapping[str, tuple[str, ...]] = {
    **{
        name: ("--extra", name, *_POD)
        for name in ("kit", "operator", "dataset", "training", "serving", "drift", "store")
    },
    **{name: ("--group", name, *_DEV) for name in ("clients", "sagemaker", "shap", *PEERS)},
    IN_IMAGE: ("--group", IN_IMAGE, *_POD),
    "dev": ("--group", "dev", *(word for extra in _DEV_EXTRAS for word in ("--extra", extra)), *_DEV),
}


def lock() -> None:
    """Locks every file anew. Raises CommandError where there is no solution."""
    from uv import find_uv_bin  # here, because the other commands run on a Python without packages

    uv = find_uv_bin()
    for name in LOCKS:
        run([uv, *command(name)[1:], "--quiet"], tries=2, folder=ROOT)
        print(f"requirements/{name}.txt", file=sys.stderr)


def command(name: str) -> list[str]:
    """The command that writes requirements/<name>.txt, as its header shows it."""
    hashed = ("--generate-hashes", "--no-emit-package", "modelyard")
    return ["uv", "pip", "compile", "pyproject.toml", *LOCKS[name], *hashed, "-o", f"requirements/{name}.txt"]
