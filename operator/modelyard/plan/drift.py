"""DriftMonitor: checks of an endpoint's traffic; findings lead to a retraining that has to pass a gate."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from modelyard.api.conditions import ConditionSet
from modelyard.api.drift import DriftMonitorSpec, DriftMonitorStatus
from modelyard.api.serving import Revision
from modelyard.contract.reasons import Reason
from modelyard.plan.announce import transitions
from modelyard.plan.check import check_task, gate_task
from modelyard.plan.checkup import check_config, cron_job, gate_job, gate_name, run_job
from modelyard.plan.failure import Failure
from modelyard.plan.finding import finding, take, untaken
from modelyard.plan.gate import judged, wait
from modelyard.plan.harvest import disposable, newest, results
from modelyard.plan.inquiry import Inquiry
from modelyard.plan.labels import run_of
from modelyard.plan.moments import moment, until
from modelyard.plan.observe import Observed, deployment_of, root_of
from modelyard.plan.opening import opening
from modelyard.plan.plan import Key, Object, Plan
from modelyard.plan.results import read_attempt
from modelyard.plan.retrain import (
    Loop,
    consider,
    cooling,
    failed,
    follow_proposal,
    follow_training,
    has_strayed,
    under_way,
)
from modelyard.plan.settings import Settings
from modelyard.plan.shown import dumped
from modelyard.plan.suspension import SUSPENDED, is_suspended, suspended
from modelyard.plan.verdict import stand

ALARMS = frozenset({"Drifted", "Degraded", "QualityViolation"})


def plan_drift(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
    read = opening(resource, DriftMonitorSpec, DriftMonitorStatus, now)
    if isinstance(read, Plan):
        return read
    deployment = next(iter(observed.related.get("ModelDeployment", ())), None)
    serving = deployment.get("status", {}).get("stable") if deployment else None
    if not serving:
        return _without_model(resource, read.status, read.conditions, observed, deployment)
    family = observed.related.get("TrainingJob", ())
    root = next((root_of(j) for j in family), serving["trainingJob"])
    stable = Revision.model_validate(serving)
    loop = Loop(resource, read.spec, read.status, stable, {j["metadata"]["name"]: j for j in family}, root, now)
    return _watch(loop, observed, read.conditions, settings)


def _without_model(
    resource: Object, status: DriftMonitorStatus, conditions: ConditionSet, observed: Observed, found: Object | None
) -> Plan:
    """Nothing serves: scheduled checks would have nothing to compare with."""
    name = deployment_of(resource)
    text = f"ModelDeployment {name} {'serves no model yet' if found else 'does not exist: create it'}"
    conditions.progressing(Reason.WAITING_FOR_DEPLOYMENT, text)
    phase = suspended(conditions, "no checks run") if is_suspended(resource) else "Pending"
    written = dumped(status.model_copy(update={"phase": phase}), conditions)
    events = transitions(resource.get("status", {}).get("conditions", []), written["conditions"])
    schedule = observed.of("CronJob")
    return Plan(written, delete=schedule, events=events, relies_on=(_endpoint(resource),) if schedule else ())


def _watch(loop: Loop, observed: Observed, conditions: ConditionSet, settings: Settings) -> Plan:
    written_before = loop.status
    loop = _take(loop, observed, settings)
    loop, gate_inquiry, failure = _move(loop, observed, settings)
    loop = _checks(loop, observed, settings)
    retrain = loop.status.retrain
    gate = _gate_name(loop) if retrain and retrain.state == "Gating" else ""
    check_failure, check_inquiry = newest(loop.monitor, observed, loop.now, settings)
    phase = stand(conditions, loop, failure or check_failure)
    if loop.spec.suspend:
        phase = _suspended(conditions, loop)
    asked = gate_inquiry + check_inquiry
    written = dumped(loop.status.model_copy(update={"phase": phase}), conditions)
    before = loop.monitor.get("status", {}).get("conditions", [])
    return Plan(
        status=written,
        apply=loop.apply,
        delete=disposable(observed, written_before.last_check, gate, loop.now, settings),
        events=loop.events or transitions(before, written["conditions"]),
        requeue_after=(asked + Inquiry(wait=_cooldown(loop))).wait,
        inspect=asked.about,
        relies_on=(*loop.relies_on, *_judged_by(loop, written_before)),
    )


def _judged_by(loop: Loop, before: DriftMonitorStatus) -> tuple[Key, ...]:
    """The endpoint, where a finding, a retraining or a check that was asked for follows from which model it serves."""
    if all(getattr(before, part) == getattr(loop.status, part) for part in ("last_check", "retrain", "run")):
        return ()
    return (_endpoint(loop.monitor),)


def _endpoint(monitor: Object) -> Key:
    return Key("ModelDeployment", monitor["metadata"]["namespace"], deployment_of(monitor))


def _suspended(conditions: ConditionSet, loop: Loop) -> str:
    """What was found stays to be seen; a retraining under way goes on and is told of."""
    story = conditions.get("Ready") or {}
    if not loop.status.retrain or not under_way(loop.status) or loop.current.state == "Proposed":
        return suspended(conditions, "no checks run and no retraining starts")
    conditions.set(SUSPENDED, True, Reason.SUSPENDED, f"no checks run; {story.get('message', '')}"[:512])
    return SUSPENDED


def _take(loop: Loop, observed: Observed, settings: Settings) -> Loop:
    """Take new results, each once, and say what changed."""
    policy = loop.spec.retrain
    for check in untaken(loop.status, results(loop.monitor, observed, loop.now, settings)):
        before = loop.status
        loop = replace(loop, status=take(before, check, loop.stable.model_digest, policy.when))
        verdict, row = check.result.verdict, loop.status.findings_in_a_row
        if before.last_check is None or before.last_check.verdict != verdict:
            loop = loop.saying(Reason(verdict), check.result.message or verdict, warn=verdict in ALARMS)
        counted = finding(check.result, policy.when) and row > before.findings_in_a_row
        if policy.action == "Alert" and counted and row == policy.consecutive:
            text = f"{row} findings in a row: {check.result.message}; spec.retrain.action is Alert, a person decides"
            loop = loop.saying(Reason(verdict), text, warn=True)
    return loop


def _move(loop: Loop, observed: Observed, settings: Settings) -> tuple[Loop, Inquiry, Failure | None]:
    """The retraining's next step; when and of what more is wanted to know; what is wrong with its gate."""
    if not under_way(loop.status):
        return consider(cooling(loop)), Inquiry(), None
    job = loop.current.training_job
    if loop.current.state == "Proposed":
        return follow_proposal(loop), Inquiry(), None
    if has_strayed(loop):
        return failed(loop, f"{job} is given up: the endpoint follows another family of models now"), Inquiry(), None
    if loop.current.state == "Training":
        return follow_training(loop), Inquiry(), None
    return _gate(loop, observed, settings)


def _gate(loop: Loop, observed: Observed, settings: Settings) -> tuple[Loop, Inquiry, Failure | None]:
    job = loop.current.training_job
    challenger = loop.family.get(job)
    if challenger is None or not challenger.get("status", {}).get("model"):
        return failed(loop.relying_on(job), f"{job} was deleted before its model was judged"), Inquiry(), None
    name = _gate_name(loop)
    attempt = read_attempt(observed, observed.named("Job", name), loop.now, settings)
    if attempt.state == "Absent":
        deployment = next(iter(observed.related.get("ModelDeployment", ())), None)
        task = gate_task(loop.monitor, loop.spec, loop.stable, challenger, deployment, settings)
        formats = (loop.stable.model_format, challenger["status"]["model"].get("format"))
        loop = loop.relying_on(job)
        loop = replace(loop, relies_on=(*loop.relies_on, _endpoint(loop.monitor)))
        return loop.applying(gate_job(loop.monitor, name, task, formats, settings)), Inquiry(), None
    if attempt.state in ("Pending", "Running"):
        return loop, attempt.inquiry, attempt.failure
    after = judged(loop, attempt)
    if after.current == loop.current:
        return after, Inquiry(wait=wait(after, attempt)), attempt.failure
    return after.relying_on(job), Inquiry(), attempt.failure  # it may train another model by now


def _gate_name(loop: Loop) -> str:
    """Of the attempt under way; none where there is no model to judge."""
    current = loop.current
    model = loop.family.get(current.training_job, {}).get("status", {}).get("model")
    if not model:
        return ""
    return gate_name(loop.monitor, current.id, loop.stable.model_digest, model["digest"], current.gate_attempt)


def _checks(loop: Loop, observed: Observed, settings: Settings) -> Loop:
    """The schedule, and one check now where the annotation has a new value."""
    task = check_task(loop.monitor, loop.spec, loop.stable, settings)
    children: list[dict[str, Any]] = [check_config(loop.monitor, task), cron_job(loop.monitor, loop.spec, settings)]
    value = run_of(loop.monitor)
    if value and value != loop.status.run and not loop.spec.suspend:
        wanted = run_job(loop.monitor, value, settings)
        if observed.named("Job", wanted["metadata"]["name"]) is None:
            children.append(wanted)
        loop = loop.holding(run=value)
    return loop.applying(*children)


def _cooldown(loop: Loop) -> float | None:
    """When RetrainAllowed changes by itself."""
    end = loop.status.next_retrain_at
    return until(moment(end), loop.now) if end and moment(end) > loop.now else None
