"""Objects as the cache keeps them: without what no planner reads, and with equal words kept once.

Memory is what limits how many objects one operator can serve; most of a child is its pod template.
"""

import sys
from collections.abc import Mapping
from typing import Any

from modelyard.plan.labels import APPLIED_HASH
from modelyard.plan.plan import Object
from modelyard.runtime.resources import OWN_KINDS

_METADATA = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "labels"}
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # a second copy of what kubectl applied
_LONGEST_WORD = 64  # characters; longer ones are rarely equal
_POD = ("restartPolicy", "nodeName", "readinessGates")
_CONTAINERS = ("initContainers", "containers")
_CONTAINER = ("name", "resources", "restartPolicy")


def trimmed(obj: Object) -> Object:
    own = obj["kind"] in OWN_KINDS
    kept = {name: value for name, value in obj.items() if name not in ("metadata", "spec", "data")}
    metadata = {name: value for name, value in obj["metadata"].items() if name in _METADATA}
    if obj["kind"] == "Job":  # a monitor's own checks are told apart from its CronJob's, and from a former monitor's
        owners = obj["metadata"].get("ownerReferences", ())
        metadata["ownerReferences"] = [{name: owner[name] for name in ("kind", "uid")} for owner in owners]
    annotations = _annotations(obj["metadata"].get("annotations", {}), own)
    if annotations:
        metadata["annotations"] = annotations
    if "spec" in obj:
        kept["spec"] = obj["spec"] if own else _spec(obj)
    result: Object = _interned({**kept, "metadata": metadata})
    return result


def _annotations(annotations: Mapping[str, str], own: bool) -> dict[str, str]:
    """Users' words to us on our own kinds; on children only our mark."""
    if own:
        return {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
    return {name: value for name, value in annotations.items() if name == APPLIED_HASH}


def _spec(child: Object) -> dict[str, Any]:
    spec = child["spec"]
    if child["kind"] == "Deployment":
        return {"replicas": spec["replicas"]} if "replicas" in spec else {}
    if child["kind"] != "Pod":
        return {}
    sources = [volume for volume in spec.get("volumes", ()) if "secret" in volume or "configMap" in volume]
    containers = {field: [_container(c) for c in spec[field]] for field in _CONTAINERS if spec.get(field)}
    return {**{name: spec[name] for name in _POD if name in spec}, "volumes": sources, "containers": [], **containers}


def _container(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: spec[name] for name in _CONTAINER if name in spec}


def _interned(value: Any) -> Any:
    if isinstance(value, str):
        return sys.intern(value) if len(value) <= _LONGEST_WORD else value
    if isinstance(value, dict):
        return {sys.intern(name): _interned(inner) for name, inner in value.items()}
    return [_interned(inner) for inner in value] if isinstance(value, list) else value
