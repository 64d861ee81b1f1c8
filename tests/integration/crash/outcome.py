"""What is left when all has come to rest, in a form in which two runs of one scenario are equal.

Left out: names of namespaces, uids and what is hashed from them, times, versions, and what Kubernetes fills in.
"""

import difflib
import json
import re
from typing import Any

from modelyard.api.kinds import KINDS
from modelyard.plan.labels import APPROVE, PAUSED, RUN
from tests.integration.crash.person import Person, Resource

_SCRUBBED = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "<time>"),
    (r"(-build-\d+)-[0-9a-f]{4}\b", r"\1-<hash>"),
    (r"\b[0-9a-f]{8}\b", "<hash>"),
)
_KEPT_ANNOTATIONS = (RUN, APPROVE, PAUSED)
_FILLED_IN = ("clusterIP", "clusterIPs")


def scrubbed(text: str, namespace: str) -> str:
    text = text.replace(namespace, "<namespace>")
    for pattern, instead in _SCRUBBED:
        text = re.sub(pattern, instead, text)
    return text


async def outcome(person: Person) -> list[str]:
    """Every resource of the four kinds and every child, as lines of JSON in a fixed order."""
    own = [_own(found) for kind in KINDS for found in await person.all(kind.kind)]
    children = [_child(found) for found in await person.children()]
    documents = [scrubbed(json.dumps(d, sort_keys=True, indent=1), person.namespace) for d in (*own, *children)]
    return [line for document in sorted(documents) for line in document.splitlines()]


def difference(expected: list[str], found: list[str]) -> str:
    """Empty where they are equal."""
    return "\n".join(difflib.unified_diff(expected, found, "undisturbed", "stopped", n=6, lineterm=""))


def _own(found: Resource) -> dict[str, Any]:
    return {**_described(found), "spec": found["spec"], "status": found.get("status")}


def _child(found: Resource) -> dict[str, Any]:
    spec = {name: value for name, value in found.get("spec", {}).items() if name not in _FILLED_IN}
    return {**_described(found), "spec": spec, "data": found.get("data")}


def _described(found: Resource) -> dict[str, Any]:
    metadata = found["metadata"]
    annotations = {k: v for k, v in metadata.get("annotations", {}).items() if k in _KEPT_ANNOTATIONS}
    owners = [f"{owner['kind']} {owner['name']}" for owner in metadata.get("ownerReferences", [])]
    return {
        "kind": found["kind"],
        "name": metadata["name"],
        "labels": metadata.get("labels", {}),
        "annotations": annotations,
        "owners": owners,
    }
