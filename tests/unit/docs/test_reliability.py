"""The list of promises: each is shown by a test that exists or a row that the benchmark records, none is forgotten."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.bench.operator import ranges
from tests.unit.docs.documents import ROOT

TABLES, NOT_YET = (ROOT / "docs" / "reliability.md").read_text().split("## Not yet\n")
BENCH = ROOT / "tests" / "bench" / "operator"
RECORDED = ranges.load("full")
MARKS = {*(f"R{n}" for n in range(1, 16)), *(f"S{n}" for n in range(1, 12)), "P3", "U1", "U4"}
HEADINGS = ("| Promise | Shown by |", "|---|---|")
LINK = re.compile(r"\[([^\]]+)\]\(\.\./(tests/[\w./-]+)\)")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Promise:
    text: str
    shown: str

    @property
    def links(self) -> list[tuple[str, Path]]:
        """The name of a test or of a row of the benchmark, and the file it is to be in."""
        return [(name, ROOT / path) for name, path in LINK.findall(self.shown)]

    @property
    def mark(self) -> str:
        found = re.search(r"\(([A-Z]\d+)\)$", self.text)
        return found[1] if found else ""


def promises() -> list[Promise]:
    lines = [line for line in TABLES.splitlines() if line.startswith("|") and line not in HEADINGS]
    return [Promise(*line.removeprefix("| ").removesuffix(" |").split(" | ")) for line in lines]


PROMISES = promises()
each_promise = pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.text[:60])


@cache
def defined_in(path: Path) -> set[str]:
    """The tests of a file, of its classes too."""
    body = ast.parse(path.read_text()).body
    members = [node for each in body if isinstance(each, ast.ClassDef) for node in each.body]
    return {n.name for n in [*body, *members] if isinstance(n, FUNCTIONS) and n.name.startswith("test_")}


def measures(path: Path, row: str) -> bool:
    """Whether a file has this name of a row, as a string or as one into which something is filled."""
    forms = {_form(node) for node in ast.walk(ast.parse(path.read_text()))}
    return any(re.fullmatch(form, row) for form in forms if re.search("[a-z]", form))


def _form(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_form(part) or ".+" for part in node.values)
    return re.escape(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@each_promise
def test_a_promise_is_shown_by_links_and_nothing_else(promise: Promise) -> None:
    assert promise.links
    assert LINK.sub("", promise.shown).replace(", ", "") == ""


@each_promise
def test_what_shows_a_promise_exists(promise: Promise) -> None:
    for name, path in promise.links:
        assert path.is_file(), path
        if path.is_relative_to(BENCH):
            assert name in RECORDED
            assert measures(path, name), f"{path.name} measures no {name}"
        else:
            assert name in defined_in(path), f"{path.name} has no {name}"


def test_no_promise_is_made_twice() -> None:
    texts = [promise.text for promise in PROMISES]
    assert sorted(set(texts)) == sorted(texts)


def test_every_recorded_row_of_the_benchmark_shows_a_promise() -> None:
    assert set(RECORDED) <= {name for promise in PROMISES for name, _ in promise.links}


def test_every_requirement_is_a_promise_or_not_yet_one() -> None:
    made = [promise.mark for promise in PROMISES if promise.mark]
    missing = dict(re.findall(r"^- \*\*(\w+)\*\*(, the rest)?:", NOT_YET, re.MULTILINE))
    assert sorted(set(made)) == sorted(made)
    assert set(made) | set(missing) == MARKS
    assert set(made) & set(missing) == {mark for mark, rest in missing.items() if rest}


def test_every_requirement_that_is_not_met_says_what_is_missing() -> None:
    assert re.findall(r"^- (?!\*\*\w+\*\*(?:, the rest)?: \w)", NOT_YET, re.MULTILINE) == []
