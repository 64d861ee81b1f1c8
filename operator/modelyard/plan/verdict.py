"""How a monitor stands: conditions for tools, a phase for people. What could not be measured is Unknown, never fine."""

from modelyard.api.conditions import ConditionSet
from modelyard.api.drift import CheckStatus, DriftMonitorSpec
from modelyard.contract.reasons import Reason
from modelyard.plan.failure import Failure
from modelyard.plan.labels import APPROVE, RUN
from modelyard.plan.retrain import Loop, hindrance, under_way

UNMEASURED = frozenset({"NoRows", "InsufficientData"})
PHASES = {"Proposed": "Proposed", "Training": "Retraining", "Gating": "Gating"}
UNDER_WAY = {"Proposed": Reason.AWAITING_APPROVAL, "Training": Reason.RETRAINING, "Gating": Reason.GATING}


def current(loop: Loop) -> CheckStatus | None:
    """The last check, where it is about the model that serves."""
    last = loop.status.last_check
    return last if last and last.model_digest == loop.stable.model_digest else None


def stand(conditions: ConditionSet, loop: Loop, failure: Failure | None) -> str:
    """Sets all conditions; `failure` is of the newest check or gate. Returns the phase."""
    check = current(loop)
    _ready(conditions, loop, check, failure)
    _drift(conditions, check)
    _performance(conditions, loop.spec, check)
    _quality(conditions, check)
    _retrain_allowed(conditions, loop)
    if loop.status.retrain and under_way(loop.status):
        return PHASES[loop.status.retrain.state]
    if check is None:
        return "Learning"
    if check.verdict in UNMEASURED:
        return "InsufficientData"
    return "Blocked" if check.verdict == "QualityViolation" else check.verdict


def _ready(conditions: ConditionSet, loop: Loop, check: CheckStatus | None, failure: Failure | None) -> None:
    """Ready says that the monitor works, whatever it finds."""
    if failure and failure.blame == "user":
        conditions.stalled(failure.reason, f"the last check or gate did not work: {failure.message}")
    elif failure:
        text = f"the last check or gate did not work: {failure.message}; it is tried again"
        conditions.progressing(failure.reason, text)
    elif loop.status.retrain and under_way(loop.status):
        conditions.progressing(UNDER_WAY[loop.status.retrain.state], _story(loop), ready=True)
    elif check is None:
        text = f"no check of this model yet: one runs on schedule, or when the annotation {RUN} changes"
        conditions.ready(Reason.LEARNING, text)
    else:
        conditions.ready(Reason(check.verdict), check.message)


def _story(loop: Loop) -> str:
    retrain = loop.current
    match retrain.state:
        case "Proposed":
            return f"a finding ({retrain.trigger}) asks for retraining: annotate with {APPROVE}={retrain.id}"
        case "Gating":
            last = f": {retrain.gate.message}" if retrain.gate else ""
            return f"{retrain.training_job} is being judged, attempt {retrain.gate_attempt}{last}"
    return f"{retrain.training_job} is being trained on fresh data ({retrain.trigger})"


def _drift(conditions: ConditionSet, check: CheckStatus | None) -> None:
    if check is None:
        conditions.set("DriftDetected", None, Reason.LEARNING, "no check of this model yet")
    elif check.drifted_columns or check.verdict == "Drifted":
        columns = ", ".join(f"{c.column} ({c.effect})" for c in check.worst)
        text = f"{check.drifted_columns} of {check.columns} columns moved" + (f": {columns}" if columns else "")
        conditions.set("DriftDetected", True, Reason.DRIFTED, text)
    elif check.verdict in ("Stable", "Degraded"):
        conditions.set("DriftDetected", False, Reason.STABLE, f"{check.columns} columns compared")
    else:
        conditions.set("DriftDetected", None, Reason(check.verdict), check.message)


def _performance(conditions: ConditionSet, spec: DriftMonitorSpec, check: CheckStatus | None) -> None:
    found = check.performance if check else None
    if spec.checks.performance is None:
        text = "spec.checks.performance is not set: realised performance is not watched"
        conditions.set("PerformanceDegraded", None, Reason.UP_TO_DATE, text)
    elif check is None:
        conditions.set("PerformanceDegraded", None, Reason.LEARNING, "no check of this model yet")
    elif found is None:
        text = "too few rows of the window have labels yet"
        reason = Reason(check.verdict) if check.verdict in UNMEASURED else Reason.INSUFFICIENT_DATA
        conditions.set("PerformanceDegraded", None, reason, text)
    else:
        degraded = check.verdict == "Degraded"
        text = f"{found.metric} {found.value} [{found.lower}, {found.upper}] against {found.baseline} in training"
        conditions.set("PerformanceDegraded", degraded, Reason.DEGRADED if degraded else Reason.STABLE, text)


def _quality(conditions: ConditionSet, check: CheckStatus | None) -> None:
    if check is None:
        conditions.set("DataQuality", None, Reason.LEARNING, "no check of this model yet")
    elif check.verdict == "QualityViolation":
        conditions.set("DataQuality", False, Reason.QUALITY_VIOLATION, "; ".join(check.quality_findings))
    elif check.verdict in UNMEASURED:
        conditions.set("DataQuality", None, Reason(check.verdict), check.message)
    else:
        conditions.set("DataQuality", True, Reason.STABLE, f"{check.rows} rows looked at")


def _retrain_allowed(conditions: ConditionSet, loop: Loop) -> None:
    hindered = hindrance(loop)
    if hindered:
        conditions.set("RetrainAllowed", False, *hindered)
        return
    counted = f"{loop.status.findings_in_a_row} of {loop.spec.retrain.consecutive} findings in a row"
    conditions.set("RetrainAllowed", True, Reason.READY, counted)
