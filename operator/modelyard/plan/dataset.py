"""Plans a Dataset: one build at a time, and a last good version that no failure takes away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelyard.api.conditions import ConditionSet, timestamp
from modelyard.api.dataset import BuildStatus, DatasetSpec, DatasetStatus
from modelyard.contract.reasons import Reason
from modelyard.contract.results import DatasetResult
from modelyard.plan import build
from modelyard.plan.announce import transitions
from modelyard.plan.failure import Failure, ended, is_over
from modelyard.plan.labels import REVISION, RUN, hash_of, run_of
from modelyard.plan.moments import is_ahead, moment, not_after, until
from modelyard.plan.observe import Observed
from modelyard.plan.opening import opening
from modelyard.plan.plan import Event, Object, Plan
from modelyard.plan.results import Attempt, read_attempt
from modelyard.plan.retry import ATTEMPTS, LONGEST, pause
from modelyard.plan.settings import Settings
from modelyard.plan.shown import dumped, progress
from modelyard.plan.suspension import SUSPENDED, suspended
from modelyard.plan.version import candidate, checked_at, rejection, version, warnings


@dataclass
class _Turn:
    """One planning of one dataset; what it decides is collected here."""

    resource: Object
    spec: DatasetSpec
    status: DatasetStatus
    conditions: ConditionSet
    observed: Observed
    now: datetime
    settings: Settings
    spec_hash: str
    apply: tuple[dict[str, Any], ...] = ()
    poll: tuple[str, ...] = ()
    requeue: float | None = None
    inspect: tuple[Object, ...] = ()

    @property
    def usable(self) -> bool:
        return self.status.current is not None

    @property
    def kept(self) -> str:
        return f"; {self.status.current.version} stays current" if self.status.current else ""

    def change(self, **update: Any) -> None:
        self.status = self.status.model_copy(update=update)


def plan_dataset(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
    """The build that is wanted, its result in status, and what stands of it."""
    read = opening(resource, DatasetSpec, DatasetStatus, now)
    if isinstance(read, Plan):
        return read
    spec_hash = build.spec_hash(resource, read.spec)
    turn = _Turn(resource, read.spec, read.status, read.conditions, observed, now, settings, spec_hash)
    _decide(turn)
    after = dumped(turn.status, turn.conditions)
    return Plan(
        status=after,
        apply=turn.apply,
        delete=_outdated(turn),
        events=transitions(read.before.get("conditions", []), after["conditions"]) or _news(read.before, turn.status),
        requeue_after=turn.requeue,
        poll=turn.poll,
        inspect=turn.inspect,
    )


def _decide(turn: _Turn) -> None:
    last = turn.status.last_build
    if turn.spec.suspend:
        _suspend(turn, last)
        return
    if turn.status.phase == SUSPENDED:
        _rest(turn)
    if last and not last.finished_at:
        if last.spec_hash == turn.spec_hash:
            (_retry if last.retry_at else _follow)(turn, last)
            return
        begun = turn.observed.named("Job", _upcoming(turn, build.SPEC).job)  # and the status that told it was lost
        if not begun and _still_running(turn):
            text = f"the spec has changed: build {last.number} is stopped first"
            turn.conditions.progressing(Reason.BUILDING, text, ready=turn.usable)
            turn.change(phase="Building", progress=None)
            return
    want = build.wanted(turn.resource, turn.spec, turn.status, turn.observed, turn.now)
    if want.request:
        _start(turn, want.request)
        return
    _rest(turn)
    if want.at:
        turn.requeue = until(want.at, turn.now)


def _suspend(turn: _Turn, last: BuildStatus | None) -> None:
    """A build that has published its version is still read; any other that runs is stopped, and begins anew later."""
    if last and _runs(turn, last):
        attempt = read_attempt(turn.observed, turn.observed.named("Job", last.job), turn.now, turn.settings)
        if attempt.state == "Succeeded" and isinstance(attempt.result, DatasetResult):
            _finished(turn, last, attempt, attempt.result)
    turn.change(phase=suspended(turn.conditions, f"no build runs{turn.kept}"), progress=None)


def _runs(turn: _Turn, build: BuildStatus) -> bool:
    """As far as the status says; for the present spec."""
    return not build.finished_at and not build.retry_at and build.spec_hash == turn.spec_hash


def _still_running(turn: _Turn) -> bool:
    """Two builds at once could promote an old recipe over a new one."""
    pods = [p for p in turn.observed.of("Pod", build.ROLE) if not is_over(p)]
    lost = [failure for p in pods if (failure := ended(p)) and failure.ended]
    return bool(turn.observed.of("Job", build.ROLE)) or len(pods) > len(lost)


def _upcoming(turn: _Turn, request: str, attempt: int = 1) -> BuildStatus:
    """The next build. Its number makes its Job's name: after a lost status write the Job is there, perhaps finished."""
    last = turn.status.last_build
    made = BuildStatus(
        job="",
        number=last.number + 1 if last else 1,
        spec_hash=turn.spec_hash,
        request=request,
        attempt=attempt,
        started_at=timestamp(turn.now),
    )
    made.job = build.job_name(turn.resource, made)
    return made


def _start(turn: _Turn, request: str, attempt: int = 1) -> None:
    made = _upcoming(turn, request, attempt)
    present = turn.observed.named("Job", made.job)
    if present:
        made.started_at = present["metadata"]["creationTimestamp"]
    run = run_of(turn.resource)
    if run and (not present or present["metadata"]["labels"].get(RUN) == hash_of(run)):
        turn.change(run=run)
    turn.change(last_build=made, progress=None)
    asked_for = attempt == 1 and not request.startswith(build.POLL)
    if asked_for and turn.conditions.status_of("Built") == "False":
        turn.conditions.set("Built", None, Reason.BUILDING, f"build {made.number} has not ended yet")
    _follow(turn, made)


def _working(turn: _Turn, made: BuildStatus, text: str) -> None:
    """Looking for news is not news itself: then Ready and phase say how the last build left them."""
    if turn.usable and made.request != build.SPEC and turn.conditions.status_of("Built") != "Unknown":
        _stand(turn)
        turn.conditions.set("Reconciling", True, Reason.BUILDING, text)
        return
    turn.conditions.progressing(Reason.BUILDING, text, ready=turn.usable)
    turn.change(phase="Building")


def _retry(turn: _Turn, last: BuildStatus) -> None:
    due = moment(last.retry_at or last.started_at)
    if is_ahead(due, turn.now, LONGEST):
        _back_off(turn, last)
        turn.requeue = until(due, turn.now)
    else:
        _start(turn, last.request, last.attempt + 1)


def _follow(turn: _Turn, last: BuildStatus) -> None:
    attempt = read_attempt(turn.observed, turn.observed.named("Job", last.job), turn.now, turn.settings)
    if attempt.state == "Succeeded" and isinstance(attempt.result, DatasetResult):
        _finished(turn, last, attempt, attempt.result)
    elif attempt.state == "Failed" and attempt.failure:
        _failed(turn, last, attempt.failure)
    else:
        _going_on(turn, last, attempt)


def _going_on(turn: _Turn, last: BuildStatus, attempt: Attempt) -> None:
    said = progress(turn.observed, attempt.pod)
    turn.change(progress=said)
    turn.poll = attempt.poll
    if turn.observed.named("Job", last.job) is None:
        turn.apply = (build.build_job(turn.resource, turn.spec, last, turn.settings),)
    running = attempt.state == "Running"
    turn.inspect, turn.requeue = attempt.inquiry.about, attempt.inquiry.wait
    failure = attempt.failure
    if failure is None:
        _working(turn, last, said or f"build {last.number} {'runs' if running else 'starts'}")
        return
    turn.change(phase="Degraded" if turn.usable else "Pending")
    if failure.blame == "user":
        turn.conditions.stalled(failure.reason, failure.message + turn.kept, ready=turn.usable)
    else:
        turn.conditions.progressing(failure.reason, failure.message + turn.kept, ready=turn.usable)


def _finished(turn: _Turn, last: BuildStatus, attempt: Attempt, result: DatasetResult) -> None:
    at = not_after(turn.now, attempt.ended_at or timestamp(turn.now))
    done = last.model_copy(update={"finished_at": at, "seconds": result.seconds})
    turn.change(last_build=done, progress=None, checked_at=checked_at(result, last.started_at, turn.now))
    if result.outcome == "Quarantined":
        _quarantined(turn, result)
        return
    old = turn.status.current
    same = old is not None and old.digest == result.digest
    turn.change(current=old if same else version(result, at), candidate=None)
    reason = Reason.UP_TO_DATE if same else Reason.READY
    turn.conditions.set("Built", True, reason)
    count = len(turn.spec.expectations)
    told = warnings(result.failed_expectations) or f"{count} expectation{'' if count == 1 else 's'} checked"
    turn.conditions.set("Validated", True, reason, told)
    _stand(turn)


def _quarantined(turn: _Turn, result: DatasetResult) -> None:
    rejected = candidate(result)
    reason, told = rejection(rejected)
    turn.change(candidate=rejected)
    turn.conditions.set("Built", True, reason)
    turn.conditions.set("Validated", False, reason, told)
    _stand(turn)


def _failed(turn: _Turn, last: BuildStatus, failure: Failure) -> None:
    turn.change(progress=None)
    if failure.blame == "world" and last.attempt < ATTEMPTS:
        turn.conditions.set("Built", False, failure.reason, failure.message)
        wait = pause("10s", last.attempt)
        retry_at = timestamp(turn.now + wait)
        retried = last.model_copy(update={"retry_at": retry_at})
        turn.change(last_build=retried)
        _back_off(turn, retried)
        turn.requeue = wait.total_seconds()
        return
    tries = f" after {last.attempt} attempts" if last.attempt > 1 else ""
    turn.conditions.set("Built", False, failure.reason, f"{failure.message}{tries}")
    turn.change(last_build=last.model_copy(update={"finished_at": timestamp(turn.now)}))
    _stand(turn)


def _back_off(turn: _Turn, last: BuildStatus) -> None:
    built = turn.conditions.get("Built") or {}
    upcoming = f"; next at {last.retry_at}" if last.retry_at else ""
    told = f"attempt {last.attempt} failed: {built.get('reason')}: {built.get('message')}{turn.kept}{upcoming}"
    about = Reason(built["reason"]) if "reason" in built else None
    turn.conditions.progressing(Reason.BACKING_OFF, told, ready=turn.usable, about=about)
    turn.change(phase="BackingOff")


def _rest(turn: _Turn) -> None:
    last = turn.status.last_build
    if last and not last.finished_at and turn.conditions.status_of("Built") == "False":
        _back_off(turn, last)
    else:
        _stand(turn)


def _stand(turn: _Turn) -> None:
    """How the last build that ended left the dataset. Made from the status alone: suspending, an outage or a spec that
    breaks a rule may have hidden it."""
    built, current = turn.conditions.get("Built"), turn.status.current
    if built and built["status"] == "False":
        reason, told = Reason(built["reason"]), str(built["message"])
    elif turn.status.candidate:
        reason, told = rejection(turn.status.candidate)
    elif current:
        reason = Reason(built["reason"]) if built else Reason.READY
        turn.conditions.ready(reason, f"{current.version} has {current.rows:,} rows")
        turn.change(phase="Ready")
        return
    else:
        return
    turn.conditions.stalled(reason, told + turn.kept, ready=turn.usable)
    turn.change(phase="Degraded" if turn.usable else "Failed")


def _outdated(turn: _Turn) -> tuple[Object, ...]:
    """Jobs and tasks of earlier builds; the last one's stay, so that its log can be read."""
    last = turn.status.last_build
    children = (*turn.observed.of("Job", build.ROLE), *turn.observed.of("ConfigMap", build.ROLE))
    outdated = last is not None and not last.finished_at and last.spec_hash != turn.spec_hash
    stopped = outdated or (turn.spec.suspend and last is not None and _runs(turn, last))
    kept = {*_begun(turn, last), *(() if last is None or stopped else (last.job,))}
    return tuple(c for c in children if c["metadata"]["name"] not in kept)


def _begun(turn: _Turn, last: BuildStatus | None) -> list[str]:
    """Names of Jobs of the next build, whose status was lost: who asked for it may only not be known yet."""
    if turn.spec.suspend or (last and not last.finished_at and not last.retry_at):
        return []
    name, _, _ = _upcoming(turn, "").job.rpartition("-")
    jobs = (j["metadata"] for j in turn.observed.of("Job", build.ROLE))
    return [j["name"] for j in jobs if j["name"].startswith(f"{name}-") and j["labels"].get(REVISION) == turn.spec_hash]


def _news(before: Mapping[str, Any], status: DatasetStatus) -> tuple[Event, ...]:
    """A new version that left Ready as it was."""
    current = status.current
    if current is None or (before.get("current") or {}).get("digest") == current.digest:
        return ()
    return (Event("Normal", Reason.READY, f"{current.version} has {current.rows:,} rows and is current"),)
