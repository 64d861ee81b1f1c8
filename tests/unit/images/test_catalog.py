"""Tags follow from what goes in, Dockerfiles and locks agree with the catalog."""

import re
from pathlib import Path

import pytest

from images.builder.catalog import FINAL, IMAGES, OPTIONAL, ROOT, chain, tag
from images.builder.lock import IN_IMAGE, LOCKS, PEERS, command

PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.M)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the training image is made of."""
    for image in chain(["training"]):
        for path in (image.dockerfile, *image.inputs):
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / path).is_dir():
                target.mkdir(exist_ok=True)
                (target / "code.py").write_text("a = 1\n")
            else:
                target.write_bytes((ROOT / path).read_bytes())
    return tmp_path


def test_equal_inputs_give_equal_tags(tree: Path) -> None:
    before = tag("training", tree)
    (tree / "images/training/modelyard_training/__pycache__").mkdir()
    (tree / "images/training/modelyard_training/__pycache__/code.pyc").write_bytes(b"1")
    (tree / "images/training/README.md").write_text("not in the image")
    assert tag("training", tree) == before


@pytest.mark.parametrize(
    "path",
    [
        "images/training/Dockerfile",
        "images/training/modelyard_training/code.py",
        "images/base/modelyard_kit/code.py",
        "operator/modelyard/contract/new.py",
        "requirements/training.txt",
        "images/base/Dockerfile",
    ],
)
def test_whatever_goes_in_changes_the_tag(tree: Path, path: str) -> None:
    before = tag("training", tree)
    (tree / path).write_text("changed")
    assert tag("training", tree) != before


def test_code_does_not_change_the_base(tree: Path) -> None:
    before = tag("base-sklearn", tree)
    (tree / "images/base/modelyard_kit/code.py").write_text("changed")
    assert tag("base-sklearn", tree) == before


def test_parents_are_built_first_and_once() -> None:
    names = [image.name for image in chain([*FINAL, *OPTIONAL])]
    assert sorted(names) == sorted(IMAGES)
    for name in names:
        parent = IMAGES[name].parent
        assert parent is None or names.index(parent) < names.index(name)


@pytest.mark.parametrize("name", FINAL)
def test_a_dockerfile_copies_exactly_its_inputs_and_runs_as_nobody(name: str) -> None:
    image = IMAGES[name]
    text = (ROOT / image.dockerfile).read_text()
    assert set(re.findall(r"^COPY (\S+) ", text, re.M)) == set(image.inputs)
    assert f"ARG BASE=modelyard/{image.parent}:dev\nFROM ${{BASE}}\n" in text
    assert re.findall(r"^USER (.*)$", text, re.M) == ["10001:10001"]
    assert "ENTRYPOINT" in text


def test_what_holds_torch_is_built_by_name_only_from_the_same_files_as_its_image_without() -> None:
    assert OPTIONAL == ("training-torch", "serving-torch", "drift-torch")
    assert not any(image.name == "base-torch" for image in chain(list(FINAL)))
    for name in OPTIONAL:
        image, without = IMAGES[name], IMAGES[name.removesuffix("-torch")]
        assert image.parent == "base-torch"
        assert (image.dockerfile, image.inputs) == (without.dockerfile, without.inputs)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_says_how_it_was_made_and_holds_hashes(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    assert text.splitlines()[1] == f"#    {' '.join(command(name))}"
    assert len(re.findall(r"^\S+==.* \\$", text, re.M)) == len(PIN.findall(text))


def test_layers_and_images_pin_the_same_versions() -> None:
    pins: dict[str, set[str]] = {}
    for name in LOCKS:
        if name not in ("dev", "clients", "sagemaker", "shap", IN_IMAGE, *PEERS):
            for package, version in PIN.findall((ROOT / f"requirements/{name}.txt").read_text()):
                pins.setdefault(package, set()).add(version)
    assert {package: found for package, found in pins.items() if len(found) > 1} == {}


def test_every_pod_image_has_what_the_kit_needs() -> None:
    for name in ("dataset", "training", "serving", "drift"):
        kit = set(PIN.findall((ROOT / "requirements/kit.txt").read_text()))
        assert kit <= set(PIN.findall((ROOT / f"requirements/{name}.txt").read_text()))
