"""What the runtime itself says in a status, and the smallest patch from one status to another."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from modelyard.api.conditions import ConditionSet
from modelyard.contract.reasons import Reason
from modelyard.plan.labels import PAUSED
from modelyard.plan.plan import Object

_CONDITION = "Paused"


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The RFC 7386 patch that makes `new` of `old`; {} if they are equal. An absent or None field becomes null."""
    patch: dict[str, Any] = {name: None for name in old if new.get(name) is None and old[name] is not None}
    for name, value in new.items():
        before = old.get(name)
        if value is None or value == before:
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            part = merge_patch(before, value)
            if part:
                patch[name] = part
        else:
            patch[name] = value
    return patch


def is_paused(resource: Object) -> bool:
    return bool(resource["metadata"].get("annotations", {}).get(PAUSED) == "true")


def was_paused(resource: Object) -> bool:
    """Whether its status still says so."""
    return without_pause(resource) is not resource


def without_pause(resource: Object) -> Object:
    """As planners see it: they keep conditions that they do not know, so this one must not reach them."""
    status = resource.get("status", {})
    conditions = status.get("conditions", [])
    kept = [condition for condition in conditions if condition["type"] != _CONDITION]
    return resource if len(kept) == len(conditions) else {**resource, "status": {**status, "conditions": kept}}


def paused(resource: Object, now: datetime) -> dict[str, Any]:
    """The status of a paused resource: as it was, and that it is paused."""
    conditions = _conditions(resource, now)
    text = f"Nothing is done for this resource until the annotation {PAUSED} is removed."
    conditions.set(_CONDITION, True, Reason.PAUSED, text)
    return {**resource.get("status", {}), "conditions": conditions.dump()}


def failed(
    resource: Object, reason: Reason, message: str, now: datetime, *, final: bool, planned: Mapping[str, Any]
) -> dict[str, Any]:
    """The status of a resource whose plan could not be made, then `planned` is {}, or not be carried out; `final` if
    only a change will help."""
    conditions = _conditions(without_pause(resource), now)
    ready = _goes_on(resource, planned)
    if final:
        conditions.stalled(reason, message, ready=ready)
    else:
        conditions.progressing(reason, message, ready=ready)
    status = {"phase": "Pending", **resource.get("status", {}), "conditions": conditions.dump()}
    return {**status, "observedGeneration": resource["metadata"].get("generation", 0)}


def _goes_on(resource: Object, planned: Mapping[str, Any]) -> bool:
    """Whether what serves does so whatever becomes of the plan. Of a spec not seen before nothing does yet, and a
    monitor works only where its plans are carried out."""
    before = resource.get("status", {})
    seen = before.get("observedGeneration") == resource["metadata"].get("generation", 0)
    return seen and resource["kind"] != "DriftMonitor" and _is_ready(before) and _is_ready(planned)


def _is_ready(status: Mapping[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))


def _conditions(resource: Object, now: datetime) -> ConditionSet:
    generation = resource["metadata"].get("generation", 0)
    return ConditionSet(resource.get("status", {}).get("conditions", []), generation, now)
