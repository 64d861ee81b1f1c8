"""Whether a model may be served: a root job's when it succeeded, a retraining's when its monitor's gate says so."""

from modelyard.api.conditions import ConditionSet
from modelyard.contract.reasons import Reason
from modelyard.plan.moments import moment
from modelyard.plan.observe import Observed, monitor_of
from modelyard.plan.plan import Object


def approve(conditions: ConditionSet, resource: Object, observed: Observed, started_at: str | None) -> None:
    """Set Approved of a job that succeeded, in a run that began then."""
    monitor = monitor_of(resource)
    if monitor is None:
        conditions.set("Approved", True, Reason.APPROVED, "trained by a person's word; no gate asks")
        return
    found = observed.named("DriftMonitor", monitor)
    history = (found or {}).get("status", {}).get("history", [])
    verdict = next((v for v in reversed(history) if v["trainingJob"] == resource["metadata"]["name"]), None)
    # An earlier run, or an earlier job of this name, gave another model. Both times are the operator's.
    since = started_at or resource["metadata"].get("creationTimestamp")
    is_old = bool(verdict and since and moment(verdict["at"]) <= moment(since))
    if verdict is not None and not is_old:
        reason = Reason.PROMOTED if verdict["promoted"] else Reason.REFUSED
        conditions.set("Approved", bool(verdict["promoted"]), reason, verdict.get("message", ""))
    elif conditions.status_of("Approved") in (None, "Unknown"):
        text = "judged an earlier run only" if is_old else "judges it on newer labelled rows"
        conditions.set("Approved", None, Reason.GATING, f"DriftMonitor {monitor} {text}")
