"""Writes the tables of fields in the reference pages from the types, between markers; `make docs` runs it.

The schema is the one of the CRDs, so a page says what the API server enforces.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from modelyard.api import fields
from modelyard.api.crd import schema_of
from modelyard.api.kind import Kind
from modelyard.api.kinds import KINDS
from modelyard.contract import limits

FOLDER = Path(__file__).parent
COMMON = frozenset({"observedGeneration", "phase", "conditions"})  # of every status: docs/architecture.md
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Json = Mapping[str, Any]


def _pattern(of: Any) -> str:
    return str(TypeAdapter(of).json_schema()["pattern"])


# Strings with a form of their own; docs/architecture.md says what each looks like.
FORMS = {
    _pattern(fields.Duration): "duration",
    _pattern(fields.Decimal): "decimal",
    _pattern(fields.Quantity): "quantity",
    _pattern(limits.Digest): "digest",
    _pattern(limits.Time): "time",
}


def page(kind: Kind) -> Path:
    return FOLDER / f"{kind.stem}.md"


def rendered(kind: Kind, text: str) -> str:
    """The page with its generated parts as the types give them. Raises KeyError for a part that does not exist."""
    spec, status = schema_of(kind.spec), schema_of(kind.status)
    parts = {
        "spec": "\n".join(["| Field | Type | Default | Meaning |", "|---|---|---|---|", *_rows(spec, "", {})]),
        "rules": "\n".join(f"- {message}" for message in _rules(spec, "")),
        "status": "\n".join(["| Field | Type | Meaning |", "|---|---|---|", *_status_rows(status)]),
    }
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]]}\n{found[3]}", text)


def _status_rows(status: Json) -> Iterator[str]:
    own = {name: child for name, child in status["properties"].items() if name not in COMMON}
    for path, node, type_, _ in _fields({"properties": own}, "", {}):
        yield _line(f"`{path}`", type_, node.get("description", ""))


def _rows(node: Json, prefix: str, seen: dict[str, str]) -> Iterator[str]:
    for path, child, type_, required in _fields(node, prefix, seen):
        default = "required" if required else _default(child)
        yield _line(f"`{path}`", type_, default, child.get("description", ""))


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _fields(node: Json, prefix: str, seen: dict[str, str]) -> Iterator[tuple[str, Json, str, bool]]:
    """(path, schema, type in words, whether it is required); an object shown before is named, not shown again."""
    for name, child in node.get("properties", {}).items():
        path = f"{prefix}{name}"
        item = child.get("items", {})
        inner, below = (item, f"{path}[].") if "properties" in item else (child, f"{path}.")
        shape = json.dumps(inner.get("properties", {}), sort_keys=True)
        twin = seen.get(shape) if len(shape) > 500 else None
        yield path, child, f"as `{twin}`" if twin else _type(child), name in node.get("required", [])
        if not twin:
            seen[shape] = path
            yield from _fields(inner, below, seen)


def _type(node: Json) -> str:
    if "enum" in node:
        return ", ".join(f"`{json.dumps(value).strip(chr(34))}`" for value in node["enum"])
    if node["type"] == "array":
        return f"list of {_type(node['items'])}"
    if isinstance(node.get("additionalProperties"), Mapping):
        return f"map of {_type(node['additionalProperties'])}"
    return FORMS.get(node.get("pattern", ""), str(node["type"])) + _bounds(node)


def _bounds(node: Json) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else ""


def _default(node: Json) -> str:
    """Of a leaf; an object's defaults stand at its fields."""
    if "default" not in node or "properties" in node or node["default"] in ("", [], {}):
        return ""
    return f"`{json.dumps(node['default']).strip(chr(34))}`"


def _rules(node: Json, path: str) -> Iterator[str]:
    """The messages of a schema's CEL rules, as the API server says them; before those of a single value its field."""
    single = "" if "properties" in node else f"`{path}` "
    yield from (f"{single}{rule['message']}" for rule in node.get("x-kubernetes-validations", []))
    for name, child in node.get("properties", {}).items():
        below = f"{path}.{name}".lstrip(".")
        yield from _rules(child, below)
        yield from _rules(child.get("items", {}), f"{below}[]")


def main() -> None:
    for kind in KINDS:
        path = page(kind)
        path.write_text(rendered(kind, path.read_text()))


if __name__ == "__main__":
    main()
