"""How every planner begins: its resource's spec and status as types, and an answer to a spec that breaks a rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from modelyard.api.conditions import ConditionSet
from modelyard.api.fields import Schema
from modelyard.api.kind import StatusBase
from modelyard.contract.reasons import Reason
from modelyard.plan.announce import transitions
from modelyard.plan.plan import Object, Plan
from modelyard.plan.suspension import SUSPENDED, is_suspended

Spec = TypeVar("Spec", bound=Schema)
Status = TypeVar("Status", bound=StatusBase)


@dataclass(frozen=True)
class Opening(Generic[Spec, Status]):
    spec: Spec
    status: Status  # of this generation
    conditions: ConditionSet
    before: Mapping[str, Any]  # the status as it is in the cluster
    was_suspended: bool


def opening(resource: Object, spec: type[Spec], status: type[Status], now: datetime) -> Opening[Spec, Status] | Plan:
    """The resource, read; or the plan that says why its spec cannot be."""
    before: Mapping[str, Any] = resource.get("status") or {}
    generation = resource["metadata"].get("generation", 0)
    conditions = ConditionSet(before.get("conditions", []), generation, now)
    was_suspended = conditions.status_of(SUSPENDED) == "True"
    try:
        wanted = spec.model_validate(resource["spec"])
    except ValidationError as error:
        return _invalid(before, conditions, generation, error)
    if not is_suspended(resource):
        conditions.remove(SUSPENDED)
    found = status.model_validate(before).model_copy(update={"observed_generation": generation})
    return Opening(wanted, found, conditions, before, was_suspended)


def _invalid(before: Mapping[str, Any], conditions: ConditionSet, generation: int, error: ValidationError) -> Plan:
    """An object from before a rule existed: said, and otherwise left as it is."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in ("spec", *first["loc"]))
    conditions.stalled(Reason.CONFIG_ERROR, f"{field}: {first['msg']}: mend it and apply again")
    after = {**before, "observedGeneration": generation, "phase": "Failed", "conditions": conditions.dump()}
    return Plan(status=after, events=transitions(before.get("conditions", []), after["conditions"]))
