"""Events for transitions: said once, when Ready says another thing than before, and not for every retry."""

from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.plan.plan import Event

WORK = ("Built", "Trained")  # conditions that remember how the last attempt ended
# What conditions show while it lasts, and what is over before anybody reads it.
_UNTOLD = frozenset({Reason.PENDING, Reason.STARTING, Reason.BUILDING, Reason.TRAINING})
_ATTEMPTING = _UNTOLD | {Reason.BACKING_OFF, Reason.WAITING_FOR_DATASET}


def transitions(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
    """One event when Ready or its reason changes, or when it begins to need a person: then a Warning."""
    old, new = _by_type(before), _by_type(after)
    ready = new["Ready"]
    if ready["reason"] in _UNTOLD or _state(old) == _state(new):
        return ()
    stalled = new.get("Stalled", {}).get("status") == "True"
    message = ready["message"] or f"{ready['reason']}"
    return (Event("Warning" if stalled else "Normal", Reason(ready["reason"]), message),)


def _by_type(conditions: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {c["type"]: c for c in conditions}


def _state(conditions: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...]:
    """What is worth an event. While something that failed is tried again, it is still in that failure's state."""
    ready, stalled = conditions.get("Ready", {}), conditions.get("Stalled", {})
    reason = ready.get("reason")
    failed = next((c["reason"] for type_ in WORK if (c := conditions.get(type_)) and c["status"] == "False"), None)
    if failed and reason in _ATTEMPTING:
        reason = failed
    return ready.get("status"), reason, stalled.get("status") == "True"
