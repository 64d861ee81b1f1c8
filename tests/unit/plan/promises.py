"""What every plan promises, whatever has happened: simulators hold each of their plans to it."""

from collections.abc import Mapping
from typing import Any

from modelyard.api.kinds import BY_NAME
from modelyard.contract.about import ABOUT
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import LIMIT, page
from modelyard.plan.plan import Object, Plan
from tests.unit.plan.kstatus import Status, compute

BUSY: frozenset[Status] = frozenset({"InProgress"})
DONE: frozenset[Status] = frozenset({"Current"})
STUCK: frozenset[Status] = frozenset({"Failed"})

# What kstatus may say of each phase. A phase is for people: Ready stays while news are looked for.
PHASES: Mapping[str, Mapping[str, frozenset[Status]]] = {
    "Dataset": {
        "Pending": BUSY | STUCK,
        "Building": BUSY,
        "BackingOff": BUSY,
        "Ready": DONE | BUSY,
        "Degraded": STUCK | BUSY,
        "Failed": STUCK,
        "Suspended": DONE,
    },
    "TrainingJob": {
        "Pending": BUSY,
        "Starting": BUSY | STUCK,
        "Running": BUSY | STUCK,  # a sidecar of somebody else's may keep failing beside it
        "BackingOff": BUSY,
        "Succeeded": DONE,
        "Failed": STUCK,
        "Suspended": DONE,
    },
    "ModelDeployment": {
        "Pending": BUSY | STUCK,
        "Starting": BUSY | STUCK,
        "Ready": DONE | BUSY,
        "RollingOut": BUSY,
        "Degraded": BUSY,
        "Resuming": BUSY | STUCK,
        "Failed": STUCK,
        "Suspended": DONE,
    },
    "DriftMonitor": {
        "Pending": BUSY,
        "Proposed": BUSY | STUCK,
        "Retraining": BUSY | STUCK,
        "Gating": BUSY | STUCK,
        **dict.fromkeys(
            ("Learning", "InsufficientData", "Blocked", "Stable", "Drifted", "Degraded"), DONE | BUSY | STUCK
        ),
        "Failed": STUCK,
        "Suspended": DONE | BUSY,  # what is under way goes on
    },
}


def hold(resource: Object, plan: Plan) -> None:
    kind, status = resource["kind"], plan.status
    conditions = {c["type"]: c for c in status["conditions"]}
    BY_NAME[kind].status.model_validate(status)  # the bounds of the CRD
    assert status["observedGeneration"] == resource["metadata"]["generation"]
    assert {"Ready", "Reconciling", "Stalled"} <= conditions.keys()
    for condition in conditions.values():
        _worded(kind, condition["reason"], condition["message"], stalled=_stalls(condition))
    for event in plan.events:
        _worded(kind, event.reason, event.message)
    for child in plan.inspect:
        assert child["metadata"]["uid"]
    _agreed(resource, status, conditions)


def _stalls(condition: Mapping[str, Any]) -> bool:
    return (condition["type"], condition["status"]) == ("Stalled", "True")


def _worded(kind: str, word: str, message: str, *, stalled: bool = False) -> None:
    """A closed list, one bounded line, and the page of what is at fault."""
    reason = Reason(word)
    assert kind in ABOUT[reason].kinds, f"{kind} shows {reason}, which its page does not say"
    assert len(message) <= LIMIT
    assert message.isprintable()
    if ABOUT[reason].fault and message:
        assert message.endswith(f"(see {page(reason)})")
    if stalled:
        assert message.endswith(".md)")


def _agreed(resource: Object, status: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]) -> None:
    """Tools that go by kstatus and people who go by the phase are told the same."""
    shown = {**resource, "status": status}
    said = compute(shown)
    assert said in PHASES[resource["kind"]][status["phase"]], f"{status['phase']} is {said} to kstatus"
    if said == "Current":
        assert conditions["Ready"]["status"] == "True"
        assert conditions["Stalled"]["status"] == "False"
    if said == "Failed":
        assert conditions["Stalled"]["status"] == "True"
    metadata = resource["metadata"]
    changed = {**metadata, "generation": metadata["generation"] + 1}
    assert compute({**shown, "metadata": changed}) == "InProgress", "a stale status is never Current"
    assert compute({**shown, "metadata": {**metadata, "deletionTimestamp": "2026-03-01T12:00:00Z"}}) == "Terminating"
