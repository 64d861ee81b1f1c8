"""Events for transitions: said once, when the reason of Ready or its message's kind changes."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.plan.plan import Event


def _by_type(conditions: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {c["type"]: c for c in conditions}


def transitions(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
    """One event when Ready has a new status or reason; a Warning when it needs a person."""
    old, new = _by_type(before), _by_type(after)
    ready, was = new["Ready"], old.get("Ready", {})
    if (ready["status"], ready["reason"]) == (was.get("status"), was.get("reason")):
        return ()
    stalled = new.get("Stalled", {}).get("status") == "True"
    message = ready["message"] or f"{ready['reason']}"
    return (Event("Warning" if stalled else "Normal", Reason(ready["reason"]), message),)
