"""What every planner's status has in common: how it is written, and what a running pod looks like."""

from typing import Any

from modelyard.api.conditions import ConditionSet
from modelyard.api.kind import StatusBase
from modelyard.contract.progress import Progress
from modelyard.contract.wording import plain
from modelyard.plan.observe import Observed


def dumped(status: StatusBase, conditions: ConditionSet) -> dict[str, Any]:
    """The whole status as the API server keeps it."""
    plain = status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"conditions"})
    return {**plain, "conditions": conditions.dump()}


def progress(observed: Observed, pod: str | None) -> str | None:
    """What a running pod last said it is doing."""
    reading = observed.readings.get(pod or "")
    if not reading:
        return None
    said = Progress.model_validate(reading)
    words = f"{said.stage} {said.percent} %"
    return plain(f"{words}: {said.message}" if said.message else words)
