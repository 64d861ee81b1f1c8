"""A documented default is the schema's, and what the API server fills in; the operator reads the same."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from docs.fields import page, rendered
from modelyard.api.kind import Kind
from modelyard.api.kinds import KINDS
from tests.integration.api.objects import nodes, resource, schema
from tests.integration.api.server import SchemaServer

pytestmark = pytest.mark.integration
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.kind)


def filled(node: Mapping[str, Any], given: Any) -> Any:
    """What structural defaulting makes of a value: of objects that are there, and of defaults themselves."""
    if isinstance(given, dict) and "properties" in node:
        whole = {**{n: c["default"] for n, c in node["properties"].items() if "default" in c}, **given}
        return {name: filled(node["properties"][name], value) for name, value in whole.items()}
    if isinstance(given, list):
        return [filled(node["items"], item) for item in given]
    return given


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, child in value.items():
            yield from leaves(child, f"{path}.{name}".lstrip("."))
    else:
        yield path, value


def shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def documented(kind: Kind) -> dict[str, str]:
    """Field -> default, as the reference page says."""
    rows = re.findall(r"^\| `([\w.\[\]]+)` \| .+ \| `(.+)` \| [^|]+ \|$", page(kind).read_text(), re.MULTILINE)
    return dict(rows)


@each_kind
def test_the_api_server_fills_in_the_defaults_of_the_schema(server: SchemaServer, kind: Kind) -> None:
    given = resource(kind.kind)
    code, answer = server.create(given)
    assert code == 201, answer
    assert answer["spec"] == filled(schema(kind)["properties"]["spec"], given["spec"])


@each_kind
def test_what_is_filled_in_is_what_the_page_says(server: SchemaServer, kind: Kind) -> None:
    given = resource(kind.kind)
    _, answer = server.create(given)
    own = dict(leaves(given["spec"]))
    told = documented(kind)
    assert told
    for path, value in leaves(answer["spec"]):
        if path not in own and value not in ("", [], {}) and "[" not in path:
            assert told[path] == shown(value) or json.loads(told[path]) == value, path


@each_kind
def test_every_documented_default_is_one_of_the_schema(kind: Kind) -> None:
    assert page(kind).read_text() == rendered(kind, page(kind).read_text())
    known = {path: node.get("default") for path, node in nodes(schema(kind)["properties"]["spec"], "")}
    for path, told in documented(kind).items():
        assert told == shown(known[path]) or json.loads(told) == known[path], path


@each_kind
def test_the_operator_reads_the_same_with_and_without_the_api_server(server: SchemaServer, kind: Kind) -> None:
    given = resource(kind.kind)
    _, answer = server.create(given)
    assert kind.spec.model_validate(answer["spec"]) == kind.spec.model_validate(given["spec"])
