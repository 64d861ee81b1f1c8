"""What every planner's status has in common: how it is written, and what a bad spec or a running pod looks like."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from modelyard.api.conditions import ConditionSet
from modelyard.api.kind import StatusBase
from modelyard.contract.progress import Progress
from modelyard.contract.reasons import Reason
from modelyard.plan.announce import transitions
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Plan


def dumped(status: StatusBase, conditions: ConditionSet) -> dict[str, Any]:
    """The whole status as the API server keeps it."""
    plain = status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"conditions"})
    return {**plain, "conditions": conditions.dump()}


def invalid(before: Mapping[str, Any], conditions: ConditionSet, generation: int, error: ValidationError) -> Plan:
    """An object from before a rule existed: said, and otherwise left as it is."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in ("spec", *first["loc"]))
    conditions.stalled(Reason.CONFIG_ERROR, f"{field}: {first['msg']}: mend it and apply again")
    after = {**before, "observedGeneration": generation, "phase": "Failed", "conditions": conditions.dump()}
    return Plan(status=after, events=transitions(before.get("conditions", []), after["conditions"]))


def progress(observed: Observed, pod: str | None) -> str | None:
    """What a running pod last said it is doing."""
    reading = observed.readings.get(pod or "")
    if not reading:
        return None
    said = Progress.model_validate(reading)
    words = f"{said.stage} {said.percent} %"
    return (f"{words}: {said.message}" if said.message else words)[:256]
