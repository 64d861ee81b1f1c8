"""What spec.suspend looks like: the same for all four kinds, for tools and for people.

Nothing was asked for, and nothing runs: that is Ready, never Stalled, so that nobody waits for it (ADR 27).
"""

from modelyard.api.conditions import ConditionSet
from modelyard.contract.reasons import Reason
from modelyard.plan.plan import Object

SUSPENDED = "Suspended"  # the condition and the phase


def is_suspended(resource: Object) -> bool:
    return bool(resource.get("spec", {}).get("suspend"))


def suspended(conditions: ConditionSet, message: str) -> str:
    """Sets the conditions of a resource for which nothing runs; returns the phase."""
    text = f"{message}; it goes on when spec.suspend is false"
    conditions.ready(Reason.SUSPENDED, text)
    conditions.set(SUSPENDED, True, Reason.SUSPENDED, text)
    return SUSPENDED
