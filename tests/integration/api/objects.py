"""Objects of the four kinds: the smallest, and some that together have every field of the present schema."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from modelyard.api.crd import definition
from modelyard.api.kind import Kind

RELEASED = Path(__file__).parents[2] / "released"
SPECS: dict[str, dict[str, Any]] = {
    "Dataset": {"sources": [{"name": "a", "uri": "s3://b/c.csv"}]},
    "TrainingJob": {"datasetRef": {"name": "a"}, "recipe": {"task": "classification"}},
    "ModelDeployment": {"model": {"trainingJobRef": {"name": "a"}}},
    "DriftMonitor": {"modelDeploymentRef": {"name": "a"}},
}
CONTAINER = {
    "image": "team/own:1",
    "body": "CSV",
    "port": 8085,
    "environment": {"A": "b"},
    "startupLimit": "10m",
    "resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}},
}
PARITY = {"rows": 3, "maxDifference": "0.00001"}
# What came after the last release, for the objects named full.
ADDED: dict[str, dict[str, dict[str, Any]]] = {
    "Dataset": {"spec": {"suspend": True, "columns": {"pii": ["email"]}}},
    "TrainingJob": {"spec": {"suspend": True, "allowUnsafeFormats": True}, "status": {"suspendedAttempts": 1}},
    "ModelDeployment": {
        "spec": {
            "suspend": True,
            "grpc": True,
            "container": CONTAINER,
            "capture": {"layout": "sagemaker"},
            "allowUnsafeFormats": True,
        },
        "status": {
            "withdrawnAt": "2026-03-01T12:00:00Z",
            "rollout": {"silentSince": "2026-03-01T12:00:00Z"},
            **{name: {"parity": PARITY, "modelFormat": "torch-export"} for name in ("stable", "candidate", "previous")},
        },
    },
    "DriftMonitor": {"spec": {"suspend": True}},
}

# What came after it and excludes something in those: without a status.
NEW: dict[str, list[dict[str, Any]]] = {
    "ModelDeployment": [
        {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": "class"},
            "spec": {**SPECS["ModelDeployment"], "container": {"image": "team/own:1", "pythonClass": "model:Model"}},
        }
    ]
}


def resource(kind: str, name: str = "x", **spec: Any) -> dict[str, Any]:
    """The smallest object, with these fields of its spec changed; None removes one."""
    merged = {k: v for k, v in {**copy.deepcopy(SPECS[kind]), **spec}.items() if v is not None}
    return {"apiVersion": "modelyard.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": merged}


def versions() -> list[str]:
    """All that were released, oldest first."""
    return sorted((path.parent.name for path in RELEASED.glob("*/chart")), key=lambda v: [int(n) for n in v.split(".")])


def stored(version: str, kind: Kind | None = None) -> list[dict[str, Any]]:
    """Objects that have every field of a release."""
    files = sorted((RELEASED / version / "samples").glob("*.yaml"))
    return [o for f in files if kind is None or f.stem == kind.plural for o in yaml.safe_load_all(f.read_text()) if o]


def complete(kind: Kind) -> list[dict[str, Any]]:
    """Objects that have every field: the last release's, and what was added."""
    found = copy.deepcopy([*stored(versions()[-1], kind), *NEW.get(kind.kind, ())])
    for made in found:
        if made["metadata"]["name"] == "full":
            for part, fields in ADDED[kind.kind].items():
                made[part] = _merged(made[part], fields)
    return found


def _merged(given: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both, also within objects that both have."""
    inner = {k: _merged(given[k], v) for k, v in more.items() if isinstance(v, Mapping) and k in given}
    return {**given, **more, **inner}


def schema(kind: Kind) -> dict[str, Any]:
    """The whole schema, as in the CRD."""
    found: dict[str, Any] = definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def nodes(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path, schema) of a schema and all below it; items and values of maps are `[]`."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}".lstrip("."))
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), Mapping):
            yield from nodes(node[key], f"{path}[]")


def places(value: Any, node: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[tuple[Any, Any, Any]]:
    """(path, value, schema) of every value of an object that the schema describes."""
    yield path, value, node
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, node["items"], (*path, index))
    elif isinstance(value, dict):
        for name, child in value.items():
            inner = node.get("properties", {}).get(name) or node["additionalProperties"]
            yield from places(child, inner, (*path, name))


def schema_path(path: tuple[str | int, ...], of_maps: bool = True) -> str:
    """`spec.sources[].name` of ("spec", "sources", 0, "name")."""
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
