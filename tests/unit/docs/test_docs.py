"""What documents promise: every reason has its page, every link leads somewhere, every command exists."""

import re
from pathlib import Path

import pytest
import yaml

from docs import reason_pages
from docs.fields import page, rendered
from modelyard.api.kind import Kind
from modelyard.api.kinds import KINDS
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import told
from tests.unit.docs.documents import DOCUMENTS, ROOT, anchors, commands, links, name

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name)
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
RESOURCES = {word for kind in KINDS for word in (kind.short, kind.plural, kind.kind.lower())} | {"modelyard"}
STANDARD = {
    "pod",
    "pods",
    "events",
    "secret",
    "lease",
    "namespace",
    "configmap",
    "node",
    "nodes",
    "quota",
    "deployment",
    "endpointslices",
    "crd",
}
OTHERS = {"prometheus"}  # of the Prometheus Operator


def test_every_reason_has_its_page_and_nothing_else_has() -> None:
    pages = [path.stem for path in (ROOT / "docs" / "reasons").iterdir()]
    assert sorted(pages) == sorted(str(reason) for reason in Reason)


@pytest.mark.parametrize("reason", Reason)
def test_what_is_known_of_a_reason_stands_in_its_page(reason: Reason) -> None:
    text = reason_pages.path_of(reason).read_text()
    assert "<!-- generated: reason -->" in text
    assert text == reason_pages.rendered(reason, text), "run `make docs`"
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    assert tuple(parts[1::2]) == reason_pages.HEADINGS
    assert all(part.strip() for part in parts[2::2])


def test_the_index_lists_every_reason() -> None:
    text = reason_pages.INDEX.read_text()
    assert text == reason_pages.rendered_index(text), "run `make docs`"
    assert {target.stem for target, _ in links(reason_pages.INDEX)} == {str(reason) for reason in Reason}


@pytest.mark.parametrize("reason", Reason)
def test_messages_link_to_pages_that_exist(reason: Reason) -> None:
    (path,) = re.findall(r"\(see (\S+)\)$", told(reason, "it failed", link=True))
    assert (ROOT / path).is_file()


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    found = list(links(document))
    assert [str(target) for target, _ in found if not target.exists()] == []
    assert [f"{target}#{anchor}" for target, anchor in found if anchor and anchor not in anchors(target)] == []


@each_document
def test_make_targets_exist(document: Path) -> None:
    named = set(re.findall(r"(?:^|[;&`] ?)make ([a-z0-9-]+)", commands(document), re.MULTILINE))
    assert named <= TARGETS


@each_document
def test_files_in_commands_exist(document: Path) -> None:
    paths = re.findall(r"(?<![\w/:.-])((?:examples|charts|tests|docs|images)/[\w./-]+\w)", commands(document))
    assert [path for path in paths if not (ROOT / path).exists()] == []


@each_document
def test_kubectl_names_resources_that_exist(document: Path) -> None:
    verbs = r"kubectl (?:get|describe|annotate|patch|delete) ([a-z]+)"
    assert set(re.findall(verbs, commands(document))) <= RESOURCES | STANDARD | OTHERS


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)
def test_tables_of_fields_are_what_the_types_give(kind: Kind) -> None:
    text = page(kind).read_text()
    assert re.findall(r"<!-- generated: (\w+) -->", text)
    assert text == rendered(kind, text), "run `make docs`"


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)
def test_every_top_level_field_is_in_its_page(kind: Kind) -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", page(kind).read_text(), re.MULTILINE))
    assert {field.alias for field in kind.spec.model_fields.values()} <= named


def test_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = {target.name for target, _ in links(folder / "README.md")}
    assert listed == {path.name for path in folder.glob("0*.md")}


@pytest.mark.parametrize("decision", sorted((ROOT / "docs" / "adr").glob("0*.md")), ids=lambda p: p.stem)
def test_every_decision_has_its_four_parts(decision: Path) -> None:
    parts = re.findall(r"^\*\*(\w+)\.\*\*", decision.read_text(), re.MULTILINE)
    assert parts == ["Context", "Decision", "Alternatives", "Consequences"]


@pytest.mark.parametrize(("example", "limit"), [("electricity", 80), ("quickstart", 40)])
def test_examples_stay_short(example: str, limit: int) -> None:
    text = (ROOT / "examples" / example / "model.yaml").read_text()
    assert len(text.splitlines()) <= limit
    assert len(list(yaml.safe_load_all(text))) == 4


def test_no_file_is_longer_than_400_lines() -> None:
    long = [
        path.relative_to(ROOT)
        for folder in ("operator", "images", "tests", "examples", "docs")
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text().splitlines()) > 400
    ]
    assert long == []
