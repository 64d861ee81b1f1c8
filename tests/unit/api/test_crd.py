"""The generated schemas are structural, bounded and described."""

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


@each_kind
def test_every_spec_string_and_list_is_bounded(kind: Kind) -> None:
    def unbounded(node: dict[str, Any]) -> bool:
        if node.get("type") == "string":
            return "maxLength" not in node and "enum" not in node
        if node.get("type") == "array":
            return "maxItems" not in node
        return "additionalProperties" in node and "maxProperties" not in node

    assert [p for p, n in own_nodes(kind) if p.startswith("spec") and unbounded(n)] == []


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
    assert all(yaml.safe_load(text)["kind"] == "CustomResourceDefinition" for text in files().values())
