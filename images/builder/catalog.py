"""Which images there are, what goes into each, and the tag that follows from it."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ("operator/modelyard/__init__.py", "operator/modelyard/contract", "images/base/modelyard_kit")


@dataclass(frozen=True)
class Image:
    """`parent` is the image it starts from; `inputs` are files and folders below the root.

    A `stage` belongs to a Dockerfile that holds its parents, too; else the parent is the build argument BASE.
    """

    name: str
    dockerfile: str
    inputs: tuple[str, ...]
    parent: str | None = None
    stage: str | None = None


def _pod(name: str, parent: str, *requirements: str) -> Image:
    package = f"images/{name}/modelyard_{name}"
    return Image(name, f"images/{name}/Dockerfile", (*requirements, *CONTRACT, package), parent)


_BASE = "images/base/Dockerfile"
_DEFAULT = {
    image.name: image
    for image in (
        Image("base-python", _BASE, (), stage="python"),
        Image("base-kit", _BASE, ("requirements/kit.txt",), "base-python", "kit"),
        Image("base-sklearn", _BASE, ("requirements/training.txt",), "base-kit", "sklearn"),
        Image(
            "operator",
            "images/operator/Dockerfile",
            ("requirements/operator.txt", "operator/modelyard"),
            "base-python",
        ),
        Image(
            "store",
            "images/store/Dockerfile",
            ("requirements/store.txt", "images/store/modelyard_store"),
            "base-python",
        ),
        _pod("dataset", "base-kit", "requirements/dataset.txt"),
        _pod("training", "base-sklearn"),
        _pod("serving", "base-sklearn", "requirements/serving.txt"),
        _pod("drift", "base-sklearn", "requirements/drift.txt"),
    )
}
# A gigabyte for two formats: built where they are asked for by name only.
_TORCH = (
    Image("base-torch", _BASE, (), "base-sklearn", "torch"),
    *(replace(_DEFAULT[name], name=f"{name}-torch", parent="base-torch") for name in ("training", "serving", "drift")),
)
IMAGES: Mapping[str, Image] = {**_DEFAULT, **{image.name: image for image in _TORCH}}
FINAL = tuple(name for name in _DEFAULT if not name.startswith("base-"))
OPTIONAL = tuple(image.name for image in _TORCH if not image.stage)


def ref(name: str, known: Mapping[str, Image] = IMAGES) -> str:
    """`modelyard/<name>:<tag>`; the tag is a hash of all that goes in, parents included."""
    return f"modelyard/{name}:{tag(name, known=known)}"


def refs() -> dict[str, str]:
    """The refs of the images that run in a cluster."""
    return {name: ref(name) for name in (*FINAL, *OPTIONAL)}


def tag(name: str, root: Path = ROOT, known: Mapping[str, Image] = IMAGES) -> str:
    image = known[name]
    sha = hashlib.sha256()
    sha.update(f"{tag(image.parent, root, known) if image.parent else ''} {image.stage}".encode())
    for path in (image.dockerfile, *image.inputs):
        for file in _files(root / path):
            sha.update(f"\0{file.relative_to(root)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return sha.hexdigest()[:12]


def chain(names: list[str], known: Mapping[str, Image] = IMAGES) -> list[Image]:
    """The images and all they start from, parents first."""

    @cache
    def with_parents(name: str) -> tuple[Image, ...]:
        image = known[name]
        return (*(with_parents(image.parent) if image.parent else ()), image)

    return list(dict.fromkeys(image for name in names for image in with_parents(name)))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise FileNotFoundError(f"{path} goes into an image and does not exist")
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
            yield file
