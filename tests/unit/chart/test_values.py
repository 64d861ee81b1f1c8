"""Values: explained to people, and refused when misspelled, out of bounds or contradictory."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from tests.unit.chart.rendering import CASES, CHART, Helm, RefusedError

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEXT = (CHART / "values.yaml").read_text()
DEFAULTS: dict[str, Any] = yaml.safe_load(TEXT)
FREE = {"annotations", "labels", "podAnnotations", "nodeSelector"}  # maps with keys of the user's choice

Path = tuple[str, ...]


def keys(values: dict[str, Any], above: Path = ()) -> Iterator[Path]:
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict) and key not in FREE:
            yield from keys(value, (*above, key))


def at(values: dict[str, Any], path: Path) -> dict[str, Any]:
    for key in path:
        values = values[key]
    return values


def refused(values: dict[str, Any]) -> bool:
    return not jsonschema.Draft7Validator(SCHEMA).is_valid(values)


ALL = list(keys(DEFAULTS))


def test_the_schema_is_one_and_allows_the_defaults() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.Draft7Validator(SCHEMA).validate(DEFAULTS)


@pytest.mark.parametrize("path", ALL, ids=".".join)
def test_each_misspelled_key_is_refused(path: Path) -> None:
    values = copy.deepcopy(DEFAULTS)
    parent = at(values, path[:-1])
    parent[f"{path[-1]}x"] = parent[path[-1]]
    assert refused(values)


@pytest.mark.parametrize("path", ALL, ids=".".join)
def test_each_value_of_another_type_is_refused(path: Path) -> None:
    values = copy.deepcopy(DEFAULTS)
    parent = at(values, path[:-1])
    parent[path[-1]] = 1.5 if isinstance(parent[path[-1]], str | dict | list) else "yes"
    assert refused(values)


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "properties" in node and node.get("type") == "object":
            yield node
        for child in node.values():
            yield from objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from objects(child)


def test_no_object_of_the_schema_takes_unknown_keys() -> None:
    assert all(each.get("additionalProperties") is False for each in objects(SCHEMA))


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_every_case_passes_strict_lint(helm: Helm, values: dict[str, Any]) -> None:
    assert "0 chart(s) failed" in helm.lint(values)


def documented() -> Iterator[tuple[str, bool]]:
    """Each line of values.yaml that sets a key, and whether a comment stands right above it or at its end."""
    lines = TEXT.splitlines()
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            above = lines[number - 1].strip() if number else ""
            yield stripped, above.startswith("#") or " #" in stripped


def test_every_value_is_documented() -> None:
    # what opens a section of its own explained keys needs no line
    sections = {f"{name}:" for name in DEFAULTS}
    assert [line for line, explained in documented() if not explained and line not in sections] == []


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelled key": ({"stores": {}}, "stores"),
    "no replica": ({"operator": {"replicas": 0}}, "replicas"),
    "an unknown scope": ({"scope": "Namespacd"}, "scope"),
    "a bad namespace": ({"workloadNamespaces": ["Team_A"]}, "workloadNamespaces"),
    "no namespace": ({"workloadNamespaces": []}, "workloadNamespaces"),
    "a store that is no URI": ({"store": {"uri": "lake"}}, "uri"),
    "an account without name": ({"operator": {"serviceAccount": {"create": False}}}, "serviceAccount"),
    "an unlimited operator": ({"operator": {"resources": {"limits": {"memory": None}}}}, "memory"),
    "two stores": ({"store": {"endpoint": "https://s3.example.com"}}, "store.embedded.enabled=false"),
    "no store": ({"store": {"embedded": {"enabled": False}}}, "set store.uri to s3://<bucket>"),
}


@pytest.mark.parametrize(("values", "told"), BAD.values(), ids=BAD)
def test_helm_says_what_is_wrong(helm: Helm, values: dict[str, Any], told: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        helm.template(values)
    assert told in str(refusal.value)


def test_free_maps_are_the_only_ones_without_named_keys() -> None:
    empty = {path[-1] for path in ALL if at(DEFAULTS, path) == {}}
    assert empty <= FREE
