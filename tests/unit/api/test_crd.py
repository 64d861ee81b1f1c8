"""The generated schemas are structural, bounded and described."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.crd import definition, differing, files
from modelyard.api.kind import Kind
from modelyard.api.kinds import KINDS

ROOT = Path(__file__).parents[3]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)


def nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}[]")


def own_nodes(kind: Kind) -> list[tuple[str, dict[str, Any]]]:
    root = definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return [n for part in ("spec", "status") for n in nodes(root["properties"][part], part)]


def test_committed_crds_are_what_the_types_generate() -> None:
    assert differing(ROOT / "crds") == []


@each_kind
def test_every_field_is_described(kind: Kind) -> None:
    silent = [p for p, n in own_nodes(kind) if not p.endswith("[]") and not n.get("description")]
    assert silent == []


BOUNDS: dict[str, set[str]] = {
    "string": {"maxLength"},
    "array": {"maxItems"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set(),
}


def unbounded(node: dict[str, Any]) -> bool:
    if "enum" in node:
        return False
    if node["type"] != "object":
        return not BOUNDS[node["type"]] <= set(node)
    return "properties" not in node and not {"additionalProperties", "maxProperties"} <= set(node)


@each_kind
def test_every_field_of_spec_and_status_is_bounded(kind: Kind) -> None:
    assert [p for p, n in own_nodes(kind) if unbounded(n)] == []


@each_kind
def test_numbers_of_fields_and_lengths_are_what_etcd_and_clients_can_hold(kind: Kind) -> None:
    for path, node in own_nodes(kind):
        assert node.get("maxLength", 0) <= 32768, path
        assert node.get("maxItems", 0) <= 2000, path
        assert max(abs(node.get(k, 0)) for k in ("minimum", "maximum")) <= 9e18, path


@each_kind
def test_what_is_required_exists_and_has_no_default(kind: Kind) -> None:
    """Nothing is required that is filled in, and the smallest object needs no more than its examples have."""
    for path, node in own_nodes(kind):
        for name in node.get("required", []):
            assert "default" not in node["properties"][name], f"{path}.{name}"
    assert definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["required"] == ["spec"]


@each_kind
def test_conditions_are_a_map_by_type(kind: Kind) -> None:
    (conditions,) = [node for path, node in own_nodes(kind) if path == "status.conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert set(conditions["items"]["required"]) == {"type", "status", "reason", "lastTransitionTime"}


@each_kind
def test_a_status_has_no_defaults(kind: Kind) -> None:
    """What the API server fills in, the operator would take for a change to undo, for ever."""
    assert [p for p, n in own_nodes(kind) if p.startswith("status") and "default" in n] == []


@each_kind
def test_every_kind_can_be_suspended(kind: Kind) -> None:
    (suspend,) = [node for path, node in own_nodes(kind) if path == "spec.suspend"]
    assert (suspend["type"], suspend["default"]) == ("boolean", False)


@each_kind
def test_nothing_unstructural_is_left(kind: Kind) -> None:
    allowed = {
        *("type", "description", "properties", "required", "items", "additionalProperties", "enum", "default"),
        *("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minimum", "maximum", "pattern", "format"),
        *("x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"),
    }
    assert {key for _, node in own_nodes(kind) for key in node} <= allowed
    assert all("type" in node for _, node in own_nodes(kind))


@each_kind
def test_no_reference_names_another_namespace(kind: Kind) -> None:
    assert [p for p, _ in own_nodes(kind) if p.lower().endswith("namespace")] == []


@each_kind
def test_printer_columns_point_at_fields_that_exist(kind: Kind) -> None:
    known = {path for path, _ in own_nodes(kind)}
    plain = [c.path.lstrip(".") for c in kind.columns if "[?" not in c.path and not c.path.startswith(".metadata")]
    assert [p for p in plain if p not in known] == []


def test_each_crd_is_small_enough_for_kubectl_apply() -> None:
    assert all(len(text.encode()) < 64 * 1024 for text in files().values())
    assert all(len(json.dumps(definition(kind))) < 64 * 1024 for kind in KINDS)
    assert all(yaml.safe_load(text)["kind"] == "CustomResourceDefinition" for text in files().values())
