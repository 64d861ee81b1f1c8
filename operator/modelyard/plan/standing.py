"""How an endpoint stands, for tools (conditions) and for people (phase, message). Computed, never remembered."""

from dataclasses import dataclass

from modelyard.api.conditions import ConditionSet
from modelyard.api.serving import ModelDeploymentStatus, Revision
from modelyard.contract.reasons import Reason
from modelyard.plan import parity
from modelyard.plan.fleet import Servers, Trouble
from modelyard.plan.moments import moment
from modelyard.plan.plan import Object
from modelyard.plan.rollout import Move
from modelyard.plan.suspension import SUSPENDED, suspended

HAS_SERVED = frozenset({"Ready", "RollingOut", "Degraded"})
RESUMING = "Resuming"  # the phase of an endpoint whose servers come back after spec.suspend


@dataclass(frozen=True)
class Standing:
    """What the conditions are made of."""

    status: ModelDeploymentStatus  # after this reconcile
    phase_before: str
    stable: Servers
    wanted: int
    move: Move | None  # of the rollout under way
    trouble: Trouble | None  # of the stable revision's servers


def waiting(conditions: ConditionSet, root: str, job: Object | None) -> str:
    """No model yet; returns the phase. A failed job needs a person, so does nothing else."""
    if job is None:
        conditions.progressing(Reason.WAITING_FOR_MODEL, f"TrainingJob {root} does not exist: create it")
        return "Pending"
    status = job.get("status", {})
    ready = next((c for c in status.get("conditions", []) if c["type"] == "Ready"), None)
    because = f": {ready['reason']}: {ready.get('message', '')}" if ready else ""
    if status.get("phase") == "Failed":
        conditions.stalled(Reason.WAITING_FOR_MODEL, f"TrainingJob {root} gave no model{because}")
    else:
        conditions.progressing(Reason.WAITING_FOR_MODEL, f"TrainingJob {root} has no approved model yet{because}")
    return "Pending"


def returning(phase_before: str, stable: Servers, wanted: int, trouble: Trouble | None) -> bool:
    """After a suspension the stable servers come back first: no candidate takes over for want of them."""
    hopeless = trouble is not None and trouble.fatal
    return phase_before in (SUSPENDED, RESUMING) and stable.ready < wanted and not hopeless


def at_rest(conditions: ConditionSet, status: ModelDeploymentStatus, stable: Revision) -> str:
    """Sets the conditions of a suspended endpoint that has a model; returns the phase."""
    _rollout_healthy(conditions, Standing(status, SUSPENDED, Servers(), 0, None, None), stable)
    return suspended(conditions, f"no server runs; {_name(stable)} is kept")


def stand(conditions: ConditionSet, standing: Standing, stable: Revision) -> str:
    """Sets Ready, Reconciling, Stalled, RolloutHealthy and ServingParity; returns the phase."""
    _rollout_healthy(conditions, standing, stable)
    ready, wanted, trouble = standing.stable.ready, standing.wanted, standing.trouble
    parity.show(conditions, stable, ready, trouble, standing.move)
    if ready >= wanted:
        return _serving(conditions, standing, stable)
    counted = f"{ready} of {wanted} pods of {_name(stable)} are ready"
    text = f"{counted}: {trouble.message}" if trouble else f"{counted}{standing.stable.silent}"
    if standing.phase_before in HAS_SERVED:
        reason = trouble.reason if trouble else Reason.DEGRADED
        conditions.progressing(reason, text, ready=ready > 0)
        return "Degraded"
    if trouble and (trouble.fatal or trouble.users):
        conditions.stalled(trouble.reason, text)
        if trouble.fatal:
            return "Failed"
    else:
        conditions.progressing(trouble.reason if trouble else Reason.STARTING, text)
    return RESUMING if returning(standing.phase_before, standing.stable, wanted, trouble) else "Starting"


def _serving(conditions: ConditionSet, standing: Standing, stable: Revision) -> str:
    status = standing.status
    if status.candidate:
        story = standing.move.message if standing.move else "it starts"
        conditions.progressing(Reason.ROLLING_OUT, f"{_name(status.candidate)}: {story}", ready=True)
        return "RollingOut"
    if not standing.stable.settled:
        trouble = standing.trouble
        text = f"the pods of {_name(stable)} are replaced one by one"
        said = f"{text}: {trouble.message}" if trouble else text
        conditions.progressing(trouble.reason if trouble else Reason.STARTING, said, ready=True)
        return "Ready"
    conditions.ready(Reason.READY, f"{_name(stable)} serves{_aside(status, stable)}")
    return "Ready"


def _aside(status: ModelDeploymentStatus, stable: Revision) -> str:
    if status.proposed:
        return f"; {status.proposed} is newer and approved: to serve it, change spec.model.trainingJobRef to it"
    taken_back = _taken_back(status, stable)
    return f"; {taken_back}" if taken_back else ""


def _taken_back(status: ModelDeploymentStatus, stable: Revision) -> str:
    """The last rollback, as long as nothing was promoted since."""
    last = status.rolled_back[-1] if status.rolled_back else None
    if last is None or moment(last.at) < moment(stable.since):
        return ""
    return f"revision {last.revision} was taken back: {last.message}"


def _rollout_healthy(conditions: ConditionSet, standing: Standing, stable: Revision) -> None:
    status = standing.status
    taken_back = _taken_back(status, stable)
    if status.candidate:
        reason, story = (standing.move.reason, standing.move.message) if standing.move else (Reason.STARTING, "")
        conditions.set("RolloutHealthy", True, reason, story)
    elif taken_back:
        conditions.set("RolloutHealthy", False, Reason.ROLLED_BACK, taken_back)
    elif status.previous:
        conditions.set("RolloutHealthy", True, Reason.PROMOTED, f"{_name(stable)} took over")
    else:
        conditions.set("RolloutHealthy", True, Reason.UP_TO_DATE, "no newer model is approved")


def _name(revision: Revision) -> str:
    return f"revision {revision.revision} ({revision.training_job})"
