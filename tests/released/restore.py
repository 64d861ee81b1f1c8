"""Puts recorded objects into etcd as they were, with their uids: the API server would give new ones, of which the
names of builds and runs are made."""

import base64
import json
from typing import Any

import httpx

from tests.cluster.controlplane import ControlPlane
from tests.released import objects

# Parts of the keys, where they are not the group's name and the plural.
_BUILT_IN = {
    "Job": "jobs",
    "CronJob": "cronjobs",
    "ConfigMap": "configmaps",
    "Service": "services/specs",
    "Deployment": "deployments",
    "ReplicaSet": "replicasets",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Pod": "pods",
}


def recorded(version: str) -> list[dict[str, Any]]:
    """Resources, each with its children after it."""
    return [obj for path in sorted(objects(version).glob("*.json")) for obj in json.loads(path.read_text())]


def put(plane: ControlPlane, version: str) -> None:
    """Before controllers start: owners and what they own must be there at once."""
    for obj in recorded(version):
        _put(plane, _key(obj), json.dumps(obj))


def _key(obj: dict[str, Any]) -> str:
    kind, metadata = obj["kind"], obj["metadata"]
    place = _BUILT_IN.get(kind) or f"modelyard.dev/{kind.lower()}s"
    return f"/registry/{place}/{metadata['namespace']}/{metadata['name']}"


def _put(plane: ControlPlane, key: str, value: str) -> None:
    """By etcd's JSON gateway. The API server reads JSON as well as its own protobuf."""
    body = {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value.encode()).decode()}
    httpx.post(f"{plane.settings.etcd_url}/v3/kv/put", json=body, timeout=10).raise_for_status()
