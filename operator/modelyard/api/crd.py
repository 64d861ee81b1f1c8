"""CustomResourceDefinitions from the pydantic types: structural schemas, written to crds/ and kept in step.

JSON Schema allows more than a structural schema: references are inlined, `X | None` becomes an optional X,
titles and null defaults are dropped (KEP-2335).
"""

from pathlib import Path
from typing import Any

import yaml

from modelyard.api.fields import CATEGORY, GROUP, VERSION, Schema
from modelyard.api.kind import Column, Kind
from modelyard.api.kinds import KINDS

Json = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes equal parts out instead of aliasing them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


HEADER = "# Generated from operator/modelyard/api by `make crds`. Do not edit.\n"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value]
    return value


def _structural(node: Json, definitions: Json) -> Json:
    """One schema node without `$ref`, `anyOf` with null, `const`, titles and null defaults."""
    node = dict(node)
    if "$ref" in node:
        target = definitions[node.pop("$ref").rsplit("/", 1)[-1]]
        node = {**target, **node}
    if "anyOf" in node:
        (variant,) = [v for v in node.pop("anyOf") if v.get("type") != "null"]
        node = {**(definitions[variant["$ref"].rsplit("/", 1)[-1]] if "$ref" in variant else variant), **node}
    node.pop("title", None)
    node.pop("$defs", None)
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if "default" in node:
        node["default"] = _without_nulls(node["default"])
        if node["default"] is None:
            del node["default"]
    if "properties" in node:
        node["properties"] = {name: _structural(child, definitions) for name, child in node["properties"].items()}
        node.pop("additionalProperties", None)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            node[key] = _structural(node[key], definitions)
    return node


def schema_of(model: type[Schema]) -> Json:
    """The structural schema of a type."""
    raw = model.model_json_schema(by_alias=True)
    return _structural(raw, raw.get("$defs", {}))


def _without_defaults(node: Json) -> Json:
    """The schema of a status: what the API server would fill in, the operator would see as a change to undo."""
    node = {name: value for name, value in node.items() if name != "default"}
    if "properties" in node:
        node["properties"] = {name: _without_defaults(child) for name, child in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            node[key] = _without_defaults(node[key])
    return node


def _name_rules(kind: Kind) -> list[Json]:
    return [
        {
            "rule": f"self.metadata.name.size() <= {kind.name_limit}",
            "message": f"metadata.name must be at most {kind.name_limit} characters: shorten it",
        },
        {
            "rule": "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            "message": "metadata.name must be lower-case letters, digits and '-', starting with a letter: rename it",
        },
    ]


def _printer_column(column: Column) -> Json:
    result: Json = {"name": column.name, "jsonPath": column.path, "type": column.type}
    if column.wide:
        result["priority"] = 1
    return result


def definition(kind: Kind) -> Json:
    """The CustomResourceDefinition of a kind."""
    root: Json = {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": schema_of(kind.spec),
            "status": _without_defaults(schema_of(kind.status)),
        },
        "x-kubernetes-validations": _name_rules(kind),
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_printer_column(c) for c in kind.columns],
        "schema": {"openAPIV3Schema": root},
    }
    names = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.kind.lower(),
        "shortNames": [kind.short],
        "categories": [CATEGORY],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def files() -> dict[str, str]:
    """File name -> content of every CRD."""
    return {
        f"{GROUP}_{kind.plural}.yaml": HEADER + yaml.dump(definition(kind), Dumper=_Dumper, sort_keys=False, width=110)
        for kind in KINDS
    }


def write(folder: Path) -> list[Path]:
    """Write the files that differ; returns them."""
    changed = differing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in changed:
        path.write_text(files()[path.name])
    return changed


def differing(folder: Path) -> list[Path]:
    """Files in the folder that are not what the types generate."""
    return [folder / name for name, text in files().items() if _read(folder / name) != text]


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
