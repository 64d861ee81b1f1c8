"""Events for transitions: said once, when the status or reason of Ready changes to one that is worth telling."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.plan.plan import Event

# What conditions show while it lasts, and what is over before anybody reads it.
_UNTOLD = frozenset({Reason.PENDING, Reason.STARTING, Reason.BUILDING, Reason.TRAINING})


def _by_type(conditions: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {c["type"]: c for c in conditions}


def transitions(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
    """One event when Ready has a new status or reason; a Warning when it needs a person."""
    old, new = _by_type(before), _by_type(after)
    ready, was = new["Ready"], old.get("Ready", {})
    if ready["reason"] in _UNTOLD or (ready["status"], ready["reason"]) == (was.get("status"), was.get("reason")):
        return ()
    stalled = new.get("Stalled", {}).get("status") == "True"
    message = ready["message"] or f"{ready['reason']}"
    return (Event("Warning" if stalled else "Normal", Reason(ready["reason"]), message),)
