"""From findings to a retraining: when one is due, which TrainingJob it is, and what its end means.

Every step is one move of status.retrain. What a step creates is created only after the step was written, so
that a lost write repeats the same step: names and content come from the status, never from `now`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.conditions import timestamp
from modelyard.api.drift import DriftMonitorSpec, DriftMonitorStatus, RetrainStatus, Verdict
from modelyard.api.fields import API_VERSION, seconds
from modelyard.api.serving import Revision
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import DETAIL_LIMIT, plain
from modelyard.plan.finding import finding
from modelyard.plan.labels import APPROVE, FAMILY, MANAGED_BY, MANAGER, child_name, hash_of, owner_reference
from modelyard.plan.moments import moment
from modelyard.plan.plan import Event, Key, Object

COOLDOWN_MAX = timedelta(days=14)
HISTORY_KEPT = 20  # the bound in the CRD
UNDER_WAY = frozenset({"Proposed", "Training", "Gating"})


@dataclass(frozen=True)
class Loop:
    """One monitor's loop while a reconcile moves it on; `apply` and `events` collect what follows."""

    monitor: Object
    spec: DriftMonitorSpec
    status: DriftMonitorStatus
    stable: Revision
    family: Mapping[str, Object]  # TrainingJobs by name
    root: str  # name of the family's root
    now: datetime
    apply: tuple[dict[str, Any], ...] = ()
    events: tuple[Event, ...] = ()
    relies_on: tuple[Key, ...] = ()

    def holding(self, **changes: Any) -> "Loop":
        return replace(self, status=self.status.model_copy(update=changes))

    def retraining(self, **changes: Any) -> "Loop":
        return self.holding(retrain=self.current.model_copy(update=changes))

    def saying(self, reason: Reason, message: str, *, warn: bool = False) -> "Loop":
        return replace(self, events=(*self.events, Event("Warning" if warn else "Normal", reason, message)))

    def relying_on(self, *jobs: str) -> "Loop":
        """What follows does so because these TrainingJobs are as they are known, or are not there."""
        namespace = self.monitor["metadata"]["namespace"]
        return replace(self, relies_on=(*self.relies_on, *(Key("TrainingJob", namespace, job) for job in jobs)))

    def applying(self, *children: dict[str, Any]) -> "Loop":
        return replace(self, apply=(*self.apply, *children))

    @property
    def current(self) -> RetrainStatus:
        if self.status.retrain is None:
            raise ValueError("no retraining is under way")
        return self.status.retrain


def under_way(status: DriftMonitorStatus) -> bool:
    return status.retrain is not None and status.retrain.state in UNDER_WAY


def retrain_id(monitor: Object, trigger: str, window_end: str | None, champion: str) -> str:
    """The same finding about the same model has the same id: it is answered once, whoever asks again."""
    return hash_of([monitor["metadata"]["uid"], trigger, window_end, champion])


def job_name(loop: Loop, id_: str) -> str:
    return child_name(loop.root, "r", id_)


def has_strayed(loop: Loop) -> bool:
    """Whether the endpoint follows another family than the one that is retrained. Of no family at all nothing tells."""
    return bool(loop.family) and job_name(loop, loop.current.id) != loop.current.training_job


def hindrance(loop: Loop) -> tuple[Reason, str] | None:
    """Why no retraining would start now, None where one would on enough findings."""
    status, now = loop.status, loop.now
    if loop.spec.suspend:
        return Reason.SUSPENDED, "spec.suspend is true"
    if under_way(status):
        waiting = loop.current.state == "Proposed"
        said = "waits for approval" if waiting else f"is under way ({loop.current.state})"
        return (Reason.AWAITING_APPROVAL if waiting else Reason.RETRAINING), f"{loop.current.training_job} {said}"
    if loop.spec.retrain.action == "Alert":
        return Reason.UP_TO_DATE, "spec.retrain.action is Alert: findings are reported, nothing is retrained"
    if status.last_check and status.last_check.verdict == "QualityViolation":
        return Reason.QUALITY_VIOLATION, "the captured data is broken: a model trained on it would be too"
    if status.next_retrain_at and now < moment(status.next_retrain_at):
        return Reason.COOLDOWN, f"the next retraining may start at {status.next_retrain_at}"
    if loop.root not in loop.family:
        return Reason.WAITING_FOR_MODEL, f"TrainingJob {loop.root}, whose spec would be copied, does not exist"
    return None


def consider(loop: Loop) -> Loop:
    """Propose or start a retraining where enough findings stand in a row and nothing hinders it."""
    check = loop.status.last_check
    policy = loop.spec.retrain
    if check is None or loop.status.findings_in_a_row < policy.consecutive or hindrance(loop):
        return loop
    trigger = finding(check, policy.when)
    if trigger is None or check.model_digest != loop.stable.model_digest:
        return loop
    id_ = retrain_id(loop.monitor, trigger, check.window_end, loop.stable.model_digest)
    job = job_name(loop, id_)
    answered = loop.status.retrain is not None and loop.status.retrain.id == id_
    if answered or job in loop.family or any(v.training_job == job for v in loop.status.history):
        return loop  # the same rows again; a newer window gives a new id
    propose = policy.action == "Propose"
    retrain = RetrainStatus(
        id=id_,
        trigger=trigger,
        state="Proposed" if propose else "Training",
        training_job=job,
        champion_digest=loop.stable.model_digest,
        requested_at=timestamp(loop.now),
    )
    if propose:
        ask = f"{check.message}; to retrain, annotate the monitor with {APPROVE}={id_}"
        return loop.holding(retrain=retrain).saying(Reason.AWAITING_APPROVAL, ask, warn=True)
    return loop.holding(retrain=retrain).saying(Reason.RETRAINING, f"{check.message}; retraining as {job}")


def follow_proposal(loop: Loop) -> Loop:
    """Start on approval of exactly this id; withdraw what no finding speaks for any more. A policy that was changed
    since decides, too."""
    current, action = loop.current, loop.spec.retrain.action
    if loop.spec.suspend:
        return loop
    if action == "Alert":
        return _withdrawn(loop, "spec.retrain.action is Alert now")
    if loop.monitor["metadata"].get("annotations", {}).get(APPROVE) == current.id:
        started = loop.retraining(state="Training", requested_at=timestamp(loop.now))
        return started.saying(Reason.RETRAINING, f"{current.id} was approved: retraining as {current.training_job}")
    outdated = loop.stable.model_digest != current.champion_digest
    if outdated or loop.status.findings_in_a_row == 0:
        return _withdrawn(loop, "another model serves now" if outdated else "the last check found nothing any more")
    if action == "Retrain" and not hindrance(loop.holding(retrain=None)):
        started = loop.retraining(state="Training", requested_at=timestamp(loop.now))
        text = (
            f"spec.retrain.action is Retrain now: {current.id} needs no approval, retraining as {current.training_job}"
        )
        return started.saying(Reason.RETRAINING, text)
    return loop


def _withdrawn(loop: Loop, why: str) -> Loop:
    return loop.holding(retrain=None).saying(Reason.STABLE, f"the proposal {loop.current.id} is withdrawn: {why}")


def follow_training(loop: Loop) -> Loop:
    """Create the TrainingJob, then wait for its end."""
    job = loop.family.get(loop.current.training_job)
    if job is None:
        root = loop.family.get(loop.root)
        if root is None:
            gone = f"TrainingJob {loop.root}, whose spec was to be copied, does not exist any more"
            return failed(loop.relying_on(loop.root), gone)
        made = training_job(root, loop.monitor, loop.current)
        return loop.relying_on(loop.root, loop.current.training_job).applying(made)
    status = job.get("status", {})
    if status.get("phase") == "Failed":
        reasons = [c for c in status.get("conditions", []) if c["type"] == "Ready"]
        why = f"{reasons[0]['reason']}: {reasons[0]['message']}" if reasons else "it says no more"
        return failed(loop, f"{loop.current.training_job} failed: {why}")
    if status.get("phase") == "Succeeded" and status.get("model"):
        gating = loop.retraining(state="Gating", gate_attempt=1, gate_started_at=timestamp(loop.now))
        said = f"{loop.current.training_job} is trained; it is judged on labelled rows newer than its data"
        return gating.saying(Reason.GATING, said)
    return loop


def training_job(root: Object, monitor: Object, retrain: RetrainStatus) -> dict[str, Any]:
    """The root's spec on data checked after the request. A pinned version would only train the same model again.

    A suspended root is no reason to suspend: whoever wants no retraining suspends the monitor.
    """
    spec = {field: value for field, value in root["spec"].items() if field != "suspend"}
    dataset = {"name": root["spec"]["datasetRef"]["name"], "checkedAfter": retrain.requested_at}
    trigger = {
        "driftMonitorRef": {"name": monitor["metadata"]["name"]},
        "rootRef": {"name": root["metadata"]["name"]},
        "reason": retrain.trigger,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainingJob",
        "metadata": {
            "name": retrain.training_job,
            "namespace": root["metadata"]["namespace"],
            "labels": {MANAGED_BY: MANAGER, FAMILY: root["metadata"]["name"]},
            "ownerReferences": [owner_reference(root)],
        },
        "spec": {**spec, "datasetRef": dataset, "trigger": trigger},
    }


def failed(loop: Loop, message: str) -> Loop:
    """No model came out, or none that could be judged: cool down, then let new findings decide."""
    return _ended(loop, "Failed", message, loop.status.refused_in_a_row).saying(
        Reason.RETRAIN_FAILED, message, warn=True
    )


def promoted(loop: Loop, message: str) -> Loop:
    """The gate passed: the history entry is what approves the TrainingJob."""
    return _ended(loop, "Promoted", message, 0).saying(Reason.PROMOTED, message)


def refused(loop: Loop, message: str) -> Loop:
    """The gate did not pass; the cooldown doubles with each refusal in a row."""
    return _ended(loop, "Refused", message, loop.status.refused_in_a_row + 1).saying(Reason.REFUSED, message, warn=True)


def _ended(loop: Loop, state: str, message: str, refusals: int) -> Loop:
    """Findings are counted anew: those so far have been answered."""
    at = timestamp(loop.now)
    verdict = Verdict(
        training_job=loop.current.training_job,
        promoted=state == "Promoted",
        at=at,
        message=plain(message, DETAIL_LIMIT),
    )
    ended = loop.retraining(state=state, ended_at=at).holding(
        history=[*loop.status.history, verdict][-HISTORY_KEPT:],
        findings_in_a_row=0,
        refused_in_a_row=refusals,
    )
    return cooling(ended)


def cooling(loop: Loop) -> Loop:
    """Until when no retraining starts after one that has ended, by the cooldown that is asked for now."""
    ended = loop.status.retrain and loop.status.retrain.ended_at
    if not ended:
        return loop
    asked = timedelta(seconds=seconds(loop.spec.retrain.cooldown))
    pause = max(asked, min(asked * 2 ** min(loop.status.refused_in_a_row, 16), COOLDOWN_MAX))  # never shorter
    return loop.holding(next_retrain_at=timestamp(moment(ended) + pause))
