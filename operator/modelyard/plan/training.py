"""Plans a TrainingJob: a pinned dataset version, one attempt at a time, retries only for failures of the world."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelyard.api.conditions import ConditionSet, timestamp
from modelyard.api.training import ModelStatus, TrainingJobSpec, TrainingJobStatus
from modelyard.contract.reasons import Reason
from modelyard.contract.results import TrainResult
from modelyard.plan import run
from modelyard.plan.announce import transitions
from modelyard.plan.approval import approve
from modelyard.plan.failure import Failure
from modelyard.plan.job import absent
from modelyard.plan.labels import REVISION
from modelyard.plan.moments import is_ahead, moment, until
from modelyard.plan.observe import Observed
from modelyard.plan.opening import opening
from modelyard.plan.pin import Pinned, pin
from modelyard.plan.plan import Key, Object, Plan
from modelyard.plan.results import read_attempt
from modelyard.plan.retry import LONGEST, pause
from modelyard.plan.score import metrics_of, missed, score
from modelyard.plan.settings import Settings
from modelyard.plan.shown import dumped, progress
from modelyard.plan.suspension import SUSPENDED, suspended


@dataclass
class _Turn:
    """One planning of one job; what it decides is collected here."""

    resource: Object
    spec: TrainingJobSpec
    status: TrainingJobStatus
    conditions: ConditionSet
    observed: Observed
    now: datetime
    settings: Settings
    run: str
    was_suspended: bool
    apply: tuple[dict[str, Any], ...] = ()
    poll: tuple[str, ...] = ()
    requeue: float | None = None
    inspect: tuple[Object, ...] = ()
    relies_on: tuple[Key, ...] = ()

    def change(self, **update: Any) -> None:
        self.status = self.status.model_copy(update=update)


def plan_training(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
    """The attempt that is due, its result in status, and whether the model may be served."""
    read = opening(resource, TrainingJobSpec, TrainingJobStatus, now)
    if isinstance(read, Plan):
        return read
    hashed = run.run_hash(resource, read.spec)
    turn = _Turn(resource, read.spec, read.status, read.conditions, observed, now, settings, hashed, read.was_suspended)
    _decide(turn)
    after = dumped(turn.status, turn.conditions)
    return Plan(
        status=after,
        apply=turn.apply,
        delete=_outdated(turn),
        events=transitions(read.before.get("conditions", []), after["conditions"]),
        requeue_after=turn.requeue,
        poll=turn.poll,
        inspect=turn.inspect,
        relies_on=turn.relies_on,
    )


def _decide(turn: _Turn) -> None:
    if turn.status.run == turn.run and turn.status.completed_at:  # whatever happens to the children from here on
        _stand(turn)
    elif turn.spec.suspend:
        _suspend(turn)
    elif turn.status.run != turn.run:
        _begin(turn)
    elif turn.was_suspended:
        _start(turn, turn.status.attempt + 1)
    elif turn.status.retry_at and is_ahead(moment(turn.status.retry_at), turn.now, LONGEST):
        _back_off(turn)
        turn.requeue = until(moment(turn.status.retry_at), turn.now)
    elif turn.status.retry_at:
        _start(turn, turn.status.attempt + 1)
    else:
        _follow(turn)


def _begin(turn: _Turn) -> None:
    """A run begins when its data is there."""
    _reset(turn)
    if turn.spec.allow_unsafe_formats and not turn.settings.allow_unsafe_formats:
        text = "spec.allowUnsafeFormats needs workloads.allowUnsafeFormats of the chart, which is false"
        turn.conditions.stalled(Reason.CONFIG_ERROR, f"{text}: save the model with skops and remove the field")
        turn.change(phase="Failed")
        return
    found = pin(turn.spec, turn.observed)
    if not isinstance(found, Pinned):
        turn.conditions.progressing(Reason.WAITING_FOR_DATASET, found)
        return
    if not turn.spec.dataset_ref.digest:  # a change of both, applied at once, may be known of the job alone
        turn.relies_on = (Key("Dataset", turn.resource["metadata"]["namespace"], turn.spec.dataset_ref.name),)
    turn.change(
        run=turn.run,
        dataset_digest=found.digest,
        dataset_checked_at=found.checked_at,
        started_at=timestamp(turn.now),
    )
    _start(turn, 1)


def _reset(turn: _Turn) -> None:
    """What an earlier spec gave is no part of a new run."""
    turn.status = TrainingJobStatus(observed_generation=turn.status.observed_generation)
    turn.conditions.set("Approved", None, Reason.PENDING, "there is no model yet")
    turn.conditions.set("Trained", None, Reason.PENDING, "no attempt has ended yet")


def _suspend(turn: _Turn) -> None:
    """Stop the attempt. One that has ended by then counts as ever; one that is stopped is no failure."""
    if turn.status.run != turn.run:
        _reset(turn)
    elif not turn.was_suspended and not turn.status.retry_at:
        _follow(turn)
        if turn.status.completed_at:
            return
        if not turn.status.retry_at:
            turn.change(suspended_attempts=turn.status.suspended_attempts + 1)
    turn.apply, turn.poll, turn.requeue = (), (), None
    done = f"attempt {turn.status.attempt} is over" if turn.status.attempt else "the run has not begun"
    turn.change(phase=suspended(turn.conditions, done), progress=None, retry_at=None)


def _start(turn: _Turn, attempt: int) -> None:
    """After a lost status write the Job is there already, perhaps finished."""
    name = run.attempt_name(turn.resource, turn.run, turn.status.dataset_digest or "", attempt)
    turn.change(attempt=attempt, job=name, retry_at=None)
    _follow(turn)


def _wanted(turn: _Turn) -> tuple[dict[str, Any], ...]:
    """What is missing of the attempt; what is there is not even planned, which is most of the cost of a reconcile."""
    job, digest = turn.status.job, turn.status.dataset_digest
    if job is None or digest is None:
        return ()
    whole = run.needs(turn.spec, job)
    if all(turn.observed.named(kind, name) for kind, name in whole):
        return ()
    made = run.children(turn.resource, turn.spec, turn.run, job, digest, turn.status.attempt, turn.settings)
    return absent(turn.observed, made)


def _follow(turn: _Turn) -> None:
    job = turn.observed.named("Job", turn.status.job or "")
    attempt = read_attempt(turn.observed, job, turn.now, turn.settings)
    if attempt.state == "Succeeded" and isinstance(attempt.result, TrainResult):
        _finished(turn, attempt.result, attempt.ended_at or timestamp(turn.now))
        return
    if attempt.state == "Failed" and attempt.failure:
        _failed(turn, attempt.failure)
        return
    turn.apply, turn.poll = _wanted(turn), attempt.poll
    turn.inspect, turn.requeue = attempt.inquiry.about, attempt.inquiry.wait
    words = progress(turn.observed, attempt.pod)
    turn.change(progress=words, phase="Running" if attempt.state == "Running" else "Starting")
    if attempt.failure:
        say = turn.conditions.stalled if attempt.failure.blame == "user" else turn.conditions.progressing
        say(attempt.failure.reason, attempt.failure.message)
    elif attempt.state == "Running":
        turn.conditions.progressing(Reason.TRAINING, f"attempt {turn.status.attempt} runs")
    else:
        turn.conditions.progressing(Reason.STARTING, f"attempt {turn.status.attempt} starts")


def _finished(turn: _Turn, result: TrainResult, ended: str) -> None:
    model = ModelStatus(
        digest=result.model_digest,
        format=result.format,
        bytes=result.bytes,
        profile_digest=result.profile_digest,
        created_at=ended,
    )
    reached = score(turn.spec.objective, result.metrics)
    turn.change(model=model, metrics=metrics_of(result.metrics), score=reached, progress=None, completed_at=ended)
    measured = f"{reached or 'nothing measured'} on {result.test_rows:,} held-out rows"
    turn.conditions.set("Trained", True, Reason.SUCCEEDED, measured)
    short_of = missed(turn.spec.objective, result.metrics)
    if short_of:
        turn.conditions.set("Approved", False, Reason.CRITERIA_NOT_MET, short_of)
    _stand(turn)


def _failed(turn: _Turn, failure: Failure) -> None:
    policy, attempt = turn.spec.failure_policy, turn.status.attempt
    failures = attempt - turn.status.suspended_attempts
    turn.change(progress=None)
    if failure.blame == "world" and failures <= policy.max_restarts:
        turn.conditions.set("Trained", False, failure.reason, failure.message)
        wait = pause(policy.backoff, failures)
        turn.change(retry_at=timestamp(turn.now + wait))
        _back_off(turn)
        turn.requeue = wait.total_seconds()
        return
    tries = f" after {attempt} attempts" if attempt > 1 else ""
    turn.conditions.set("Trained", False, failure.reason, f"{failure.message}{tries}")
    turn.conditions.set("Approved", False, failure.reason, "there is no model")
    turn.change(completed_at=timestamp(turn.now))
    _stand(turn)


def _back_off(turn: _Turn) -> None:
    """Made from the status alone, as `_stand`."""
    trained = turn.conditions.get("Trained")
    because = f": {trained['reason']}: {trained['message']}" if trained else ""
    text = f"attempt {turn.status.attempt} failed{because}; the next begins at {turn.status.retry_at}"
    about = Reason(trained["reason"]) if trained else None
    turn.conditions.progressing(Reason.BACKING_OFF, text, about=about)
    turn.change(phase="BackingOff")


def _stand(turn: _Turn) -> None:
    """How a run ended. Made from the status alone: an outage or a spec that breaks a rule may have hidden it."""
    trained, approved = (turn.conditions.get(name) or {} for name in ("Trained", "Approved"))
    if trained.get("status") == "True" and approved.get("reason") != Reason.CRITERIA_NOT_MET:
        turn.conditions.ready(Reason.SUCCEEDED, trained["message"])
        turn.change(phase="Succeeded")
    elif trained:
        short_of = approved if trained["status"] == "True" else trained
        turn.conditions.stalled(Reason(short_of["reason"]), short_of["message"])
        turn.change(phase="Failed")
    # else it ended under 0.1, which did not keep how
    if turn.status.phase == "Succeeded":
        approve(turn.conditions, turn.resource, turn.observed, turn.status.started_at)


def _outdated(turn: _Turn) -> tuple[Object, ...]:
    """What belongs to other runs and earlier attempts; the last attempt stays, so that its log can be read."""
    kept = [name for job in _kept(turn) for name in run.names(job)]
    children = (*turn.observed.of("Job", run.ROLE), *turn.observed.of("ConfigMap", run.ROLE))
    return tuple(c for c in children if c["metadata"]["name"] not in kept)


def _kept(turn: _Turn) -> list[str]:
    """Names of Jobs. A run that waits for data may have begun: its status was lost, and what it runs on is the version
    that will be current again, or one that is not known yet."""
    if turn.status.job and turn.status.retry_at:  # the next attempt, too, by the clock of another leader
        digest, attempt = turn.status.dataset_digest or "", turn.status.attempt + 1
        return [turn.status.job, run.attempt_name(turn.resource, turn.run, digest, attempt)]
    if turn.status.job:
        return [] if _stopped(turn) else [turn.status.job]
    if turn.status.phase != "Pending":
        return []
    jobs = turn.observed.of("Job", run.ROLE)
    return [j["metadata"]["name"] for j in jobs if j["metadata"]["labels"].get(REVISION) == turn.run]


def _stopped(turn: _Turn) -> bool:
    """Whether the last attempt is to be stopped because the run is suspended."""
    job = turn.observed.named("Job", turn.status.job or "")
    return (
        turn.status.phase == SUSPENDED and read_attempt(turn.observed, job, turn.now, turn.settings).state != "Failed"
    )
