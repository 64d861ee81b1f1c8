"""The tests' own image is made as the product's are, and is none of them; its programs are the page's."""

import re
from pathlib import Path

import pytest

from images.builder.catalog import IMAGES, ROOT, chain, ref
from tests.own_container.image import OWN_CONTAINER
from tests.own_container.programs import write_programs

KNOWN = {**IMAGES, OWN_CONTAINER.name: OWN_CONTAINER}
PAGE = ROOT / "docs" / "how-to" / "bring-your-container.md"


def test_it_starts_from_the_base_and_is_not_shipped() -> None:
    assert [image.name for image in chain([OWN_CONTAINER.name], KNOWN)] == ["base-python", OWN_CONTAINER.name]
    assert re.fullmatch(r"modelyard/own-container:[0-9a-f]{12}", ref(OWN_CONTAINER.name, KNOWN))
    assert OWN_CONTAINER.name not in IMAGES


def test_its_dockerfile_copies_exactly_its_inputs_which_the_builder_lets_through() -> None:
    dockerfile = ROOT / OWN_CONTAINER.dockerfile
    assert set(re.findall(r"^COPY (\S+) ", dockerfile.read_text(), re.M)) == set(OWN_CONTAINER.inputs)
    ignore = dockerfile.with_name("Dockerfile.dockerignore").read_text()
    assert set(re.findall(r"^!(\S+)$", ignore, re.M)) == set(OWN_CONTAINER.inputs)


def test_the_pages_programs_are_written_under_their_names(tmp_path: Path) -> None:
    write_programs(PAGE, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inference.py", "pricing.py", "serve.py"]
    for path in tmp_path.iterdir():
        compile(path.read_text(), path.name, "exec")


def test_a_program_without_a_name_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nimport os\n```\n")
    with pytest.raises(ValueError, match=r"page\.md shows a program that does not begin with its name: import os"):
        write_programs(page, tmp_path)
