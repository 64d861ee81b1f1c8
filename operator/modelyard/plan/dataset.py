"""Plans a Dataset: one build at a time, and a last good version that no failure takes away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from modelyard.api.conditions import ConditionSet, timestamp
from modelyard.api.dataset import (
    BuildStatus,
    Candidate,
    DatasetSpec,
    DatasetStatus,
    DatasetVersion,
    FailedExpectationStatus,
)
from modelyard.contract.document import short
from modelyard.contract.reasons import Reason
from modelyard.contract.results import DatasetResult
from modelyard.plan import build
from modelyard.plan.announce import transitions
from modelyard.plan.failure import Failure
from modelyard.plan.moments import moment, until
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object, Plan
from modelyard.plan.results import Attempt, read_attempt
from modelyard.plan.retry import ATTEMPTS, pause
from modelyard.plan.settings import Settings
from modelyard.plan.shown import dumped, invalid, progress


@dataclass
class _Turn:
    """One planning of one dataset."""

    resource: Object
    spec: DatasetSpec
    status: DatasetStatus
    conditions: ConditionSet
    observed: Observed
    now: datetime
    settings: Settings
    requeue: float | None = None

    @property
    def usable(self) -> bool:
        return self.status.current is not None


def plan_dataset(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
    """The build that is wanted, its result in status, and what stands of it."""
    before: Mapping[str, Any] = resource.get("status") or {}
    generation = resource["metadata"].get("generation", 0)
    conditions = ConditionSet(before.get("conditions", []), generation, now)
    try:
        spec = DatasetSpec.model_validate(resource["spec"])
    except ValidationError as error:
        return invalid(before, conditions, generation, error)
    status = DatasetStatus.model_validate(before).model_copy(update={"observed_generation": generation})
    turn = _Turn(resource, spec, status, conditions, observed, now, settings)
    children = _decide(turn)
    after = dumped(turn.status, conditions)
    return Plan(
        status=after,
        apply=children,
        delete=_outdated(turn),
        events=transitions(before.get("conditions", []), after["conditions"]),
        requeue_after=turn.requeue,
        poll=_polled(turn),
    )


def _decide(turn: _Turn) -> tuple[dict[str, Any], ...]:
    last = turn.status.last_build
    if last and last.spec_hash == build.spec_hash(turn.resource):
        if last.retry_at:
            return _retry(turn, last)
        if not last.finished_at:
            return _follow(turn, last)
    want = build.wanted(turn.resource, turn.spec, turn.status, turn.observed, turn.now)
    if want.request:
        return _start(turn, want.request)
    if want.at:
        turn.requeue = until(want.at, turn.now)
    return ()


def _start(turn: _Turn, request: str, attempt: int = 1) -> tuple[dict[str, Any], ...]:
    """A new build; its number makes its Job's name, so a lost status write leads to the same Job."""
    last = turn.status.last_build
    made = BuildStatus(
        job="",
        number=last.number + 1 if last else 1,
        spec_hash=build.spec_hash(turn.resource),
        request=request,
        attempt=attempt,
        started_at=timestamp(turn.now),
    )
    made.job = build.job_name(turn.resource, made)
    update: dict[str, Any] = {"last_build": made, "progress": None}
    if request.startswith("run:"):
        update["run"] = request.removeprefix("run:")
    _change(turn, **update)
    turn.conditions.progressing(Reason.BUILDING, f"build {made.number} starts", ready=turn.usable)
    turn.conditions.set("Built", None, Reason.BUILDING)
    _change(turn, phase="Building")
    return build.children(turn.resource, turn.spec, made, turn.settings)


def _retry(turn: _Turn, last: BuildStatus) -> tuple[dict[str, Any], ...]:
    due = moment(last.retry_at or last.started_at)
    if due <= turn.now:
        return _start(turn, last.request, last.attempt + 1)
    turn.requeue = until(due, turn.now)
    return ()


def _follow(turn: _Turn, last: BuildStatus) -> tuple[dict[str, Any], ...]:
    attempt = read_attempt(turn.observed, turn.observed.named("Job", last.job), turn.now, turn.settings)
    if attempt.state == "Succeeded" and isinstance(attempt.result, DatasetResult):
        _finished(turn, last, attempt, attempt.result)
        return ()
    if attempt.state == "Failed" and attempt.failure:
        _failed(turn, last, attempt.failure)
        return ()
    words = progress(turn.observed, attempt.pod)
    _change(turn, progress=words, phase="Building")
    if attempt.failure is None:
        turn.conditions.progressing(Reason.BUILDING, words or f"build {last.number} runs", ready=turn.usable)
    elif attempt.failure.blame == "user":
        turn.conditions.stalled(attempt.failure.reason, attempt.failure.message, ready=turn.usable)
    else:
        turn.conditions.progressing(attempt.failure.reason, attempt.failure.message, ready=turn.usable)
    return build.children(turn.resource, turn.spec, last, turn.settings)


def _finished(turn: _Turn, last: BuildStatus, attempt: Attempt, result: DatasetResult) -> None:
    ended = attempt.ended_at or timestamp(turn.now)
    done = last.model_copy(update={"finished_at": ended, "seconds": result.seconds})
    _change(turn, last_build=done, progress=None, checked_at=result.checked_at)
    if result.outcome == "Quarantined":
        _quarantined(turn, result)
        return
    old = turn.status.current
    unchanged = old is not None and old.digest == result.digest
    _change(turn, current=old if unchanged else _version(result, ended), candidate=None, phase="Ready")
    reason = Reason.UP_TO_DATE if result.outcome == "Unchanged" else Reason.READY
    turn.conditions.ready(reason, f"v-{short(result.digest)} has {result.rows:,} rows")
    turn.conditions.set("Built", True, reason)
    turn.conditions.set("Validated", True, reason, f"{len(turn.spec.expectations)} expectations hold")


def _version(result: DatasetResult, created_at: str) -> DatasetVersion:
    keep = ("digest", "rows", "bytes", "files", "splits", "profile_digest", "logical_digest")
    given = {k: getattr(result, k) for k in keep}
    return DatasetVersion(**given, version=f"v-{short(result.digest)}", created_at=created_at)


def _quarantined(turn: _Turn, result: DatasetResult) -> None:
    failed = [
        FailedExpectationStatus(name=e.name, failed=e.failed, total=e.total, message=e.message[:512])
        for e in result.failed_expectations
        if e.severity == "fail"
    ]
    candidate = Candidate(digest=result.digest, failed_expectations=failed, schema_findings=result.schema_findings)
    reason = Reason.EXPECTATION_FAILED if failed else Reason.SCHEMA_MISMATCH
    told = "; ".join(
        [e.message or f"{e.name}: {e.failed:,} of {e.total:,} failed" for e in failed] + result.schema_findings
    )
    kept = f"; {turn.status.current.version} stays current" if turn.status.current else ""
    turn.conditions.stalled(reason, f"{told}{kept}", ready=turn.usable)
    turn.conditions.set("Built", True, reason)
    turn.conditions.set("Validated", False, reason, told[:512])
    _change(turn, candidate=candidate, phase="Degraded" if turn.usable else "Failed")


def _failed(turn: _Turn, last: BuildStatus, failure: Failure) -> None:
    turn.conditions.set("Built", False, failure.reason, failure.message)
    kept = f"; {turn.status.current.version} stays current" if turn.status.current else ""
    if failure.blame == "world" and last.attempt < ATTEMPTS:
        wait = pause("10s", last.attempt)
        retry_at = timestamp(turn.now + wait)
        _change(turn, last_build=last.model_copy(update={"retry_at": retry_at}), progress=None, phase="BackingOff")
        words = f"attempt {last.attempt} failed: {failure.reason}: {failure.message}{kept}; next at {retry_at}"
        turn.conditions.progressing(Reason.BACKING_OFF, words, ready=turn.usable)
        turn.requeue = wait.total_seconds()
        return
    ended = timestamp(turn.now)
    phase = "Degraded" if turn.usable else "Failed"
    _change(turn, last_build=last.model_copy(update={"finished_at": ended}), progress=None, phase=phase)
    turn.conditions.stalled(failure.reason, f"{failure.message}{kept}", ready=turn.usable)


def _change(turn: _Turn, **update: Any) -> None:
    turn.status = turn.status.model_copy(update=update)


def _outdated(turn: _Turn) -> tuple[Object, ...]:
    """Jobs and tasks of earlier builds; the last one's stay, so that its log can be read."""
    job = turn.status.last_build.job if turn.status.last_build else None
    children = (*turn.observed.of("Job", build.ROLE), *turn.observed.of("ConfigMap", build.ROLE))
    return tuple(c for c in children if c["metadata"]["name"] != job)


def _polled(turn: _Turn) -> tuple[str, ...]:
    last = turn.status.last_build
    if last is None or last.finished_at or last.retry_at:
        return ()
    attempt = read_attempt(turn.observed, turn.observed.named("Job", last.job), turn.now, turn.settings)
    return (attempt.pod,) if attempt.pod and attempt.state == "Running" else ()
