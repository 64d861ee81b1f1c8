"""Small planners to run the runtime with: a Dataset becomes a ConfigMap and a Service, the spec says the rest.

`transform.sql` of the Dataset is what the planner does: words, each changing the plan.
"""

import os
from datetime import datetime
from typing import Any

from modelyard.api.conditions import ConditionSet
from modelyard.contract.reasons import Reason
from modelyard.plan.labels import labels_for, owner_reference
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Event, Key, Object, Plan
from modelyard.plan.settings import Settings


def words(resource: Object) -> list[str]:
    text: str = resource["spec"].get("transform", {}).get("sql", "")
    return text.split()


def _metadata(resource: Object, name: str) -> dict[str, Any]:
    own = resource["metadata"]
    return {
        "name": name,
        "namespace": own["namespace"],
        "labels": labels_for(Key("Dataset", own["namespace"], own["name"]), "test"),
        "ownerReferences": [owner_reference(resource)],
    }


def _replica() -> dict[str, str]:
    """Where replicas differ, a change of leader shows in the ConfigMap."""
    name = os.environ.get("POD_NAME")
    return {"by": name} if name else {}


def children(resource: Object) -> tuple[dict[str, Any], ...]:
    name = resource["metadata"]["name"]
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(resource, f"{name}-task"),
        "data": {"words": " ".join(words(resource)), **_replica()},
    }
    port = 99999 if "refused" in words(resource) else 8080
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(resource, name),
        "spec": {"clusterIP": "None", "selector": {"a": "b"}, "ports": [{"name": "http", "port": port}]},
    }
    return (config, service)


def plan_dataset(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
    if "crash" in words(resource):
        raise ValueError("the planner met something it did not expect")
    generation = resource["metadata"]["generation"]
    conditions = ConditionSet(resource.get("status", {}).get("conditions", []), generation, now)
    conditions.ready(Reason.READY)
    status: dict[str, Any] = {"observedGeneration": generation, "phase": "Ready", "conditions": conditions.dump()}
    if "version" in words(resource):
        digest = "sha256:" + "0" * 64
        made = {"createdAt": "2026-01-01T00:00:00Z", "version": "v1", "rows": 3, "bytes": 9}
        status["current"] = {"digest": digest, "logicalDigest": digest, "profileDigest": digest, **made}
    events = (Event("Normal", Reason.UP_TO_DATE, "nothing to do"),) if "tell" in words(resource) else ()
    unwanted = observed.of("Service") if "noservice" in words(resource) else ()
    wanted = tuple(
        c for c in children(resource) if not (unwanted or "noservice" in words(resource)) or c["kind"] != "Service"
    )
    return Plan(status, apply=wanted, delete=unwanted, events=events)


def plan_nothing(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
    return Plan(dict(resource.get("status", {})))


PLANNERS = {
    "Dataset": plan_dataset,
    "TrainingJob": plan_nothing,
    "ModelDeployment": plan_nothing,
    "DriftMonitor": plan_nothing,
}
