"""The canary's state machine: start the candidate, raise its share step by step while the measures hold.

One call decides one move. The share itself is made by the stable revision's servers, told by `Routing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from modelyard.api.conditions import timestamp
from modelyard.api.fields import seconds
from modelyard.api.serving import Rollout, RolloutStatus
from modelyard.contract.progress import Routing
from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import MANAGEMENT_PORT
from modelyard.plan.fleet import Trouble
from modelyard.plan.measure import explain_check, measure, merged
from modelyard.plan.moments import later, moment, until

LOOK_AGAIN = 15.0  # seconds: servers are asked for their figures no more often


@dataclass(frozen=True)
class Candidate:
    """What is seen of the candidate's pods."""

    revision: str
    ready: int
    wanted: int
    trouble: Trouble | None = None
    silent: str = ""  # as of Servers


@dataclass(frozen=True)
class Move:
    """What follows. `rollout` is the status to hold while the rollout goes on."""

    kind: Literal["Hold", "Advance", "Promote", "RollBack"]
    rollout: RolloutStatus
    reason: Reason = Reason.ROLLING_OUT
    message: str = ""
    wait: float = LOOK_AGAIN


def begin(now: datetime) -> RolloutStatus:
    return RolloutStatus(step=-1, weight=0, started_at=timestamp(now), step_started_at=timestamp(now))


def epoch(revision: str, step: int) -> str:
    return f"{revision}/{step}"


def routing(candidate: Candidate, rollout: RolloutStatus) -> Routing:
    """What the stable servers are told. A candidate without a ready pod gets nothing, under an epoch of its own:
    servers are told again only when the epoch changes."""
    if not candidate.ready:
        return steady(candidate.revision)
    return Routing(epoch=epoch(candidate.revision, rollout.step), candidate=candidate.revision, weight=rollout.weight)


def steady(revision: str) -> Routing:
    """No split, because of that revision."""
    return Routing(epoch=f"{revision}/none")


def advance(
    spec: Rollout, rollout: RolloutStatus, candidate: Candidate, readings: Sequence[Mapping[str, Any]], now: datetime
) -> Move:
    """The next move, from the servers' figures and the candidate's pods."""
    if moment(rollout.step_started_at) > now:  # the clock was set back
        rollout = rollout.model_copy(update={"step_started_at": timestamp(now)})
    trouble = candidate.trouble
    if trouble and (trouble.fatal or _overdue(spec, rollout, now)):
        return Move("RollBack", rollout, trouble.reason, f"the candidate's pods do not run: {trouble.message}")
    if rollout.step < 0:
        return _start(spec, rollout, candidate, now)
    return _judge(spec, rollout, candidate, readings, now)


def _start(spec: Rollout, rollout: RolloutStatus, candidate: Candidate, now: datetime) -> Move:
    if candidate.ready >= candidate.wanted:
        return _to(spec, rollout, 0, now, "the candidate is ready")
    return _unready(spec, rollout, candidate, now)


def _unready(spec: Rollout, rollout: RolloutStatus, candidate: Candidate, now: datetime) -> Move:
    so_far = f"{candidate.ready} of {candidate.wanted} pods of the candidate are ready"
    if _overdue(spec, rollout, now):
        why = candidate.silent or ": look at its pods' logs"
        message = f"{so_far} after rollout.progressDeadline ({spec.progress_deadline}){why}"
        return Move("RollBack", rollout, Reason.DEADLINE_EXCEEDED, message)
    if candidate.trouble:
        return Move("Hold", rollout, candidate.trouble.reason, f"{so_far}: {candidate.trouble.message}")
    return Move("Hold", rollout, Reason.STARTING, f"{so_far}{candidate.silent}")


def _judge(
    spec: Rollout, rollout: RolloutStatus, candidate: Candidate, readings: Sequence[Mapping[str, Any]], now: datetime
) -> Move:
    told = any(reading.get("epoch") == epoch(candidate.revision, rollout.step) for reading in readings)
    if told:
        stats = merged(readings, epoch(candidate.revision, rollout.step))
        checks = [measure(check, stats, spec.min_requests) for check in spec.checks]
        rollout = rollout.model_copy(update={"requests": stats.candidate.requests, "checks": checks})
    # Else what servers told before stays, as after a restart of the operator; no step is taken by it.
    held = now >= _hold_ends(spec, rollout)
    failed = [
        explain_check(check, result)
        for check, result in zip(spec.checks, rollout.checks if told else (), strict=False)
        if result.verdict == "Fail" and (held or check.metric == "errorRate")
    ]
    if failed:
        message = f"at weight {rollout.weight} after {rollout.requests} requests {', '.join(failed)}"
        return Move("RollBack", rollout, Reason.ROLLED_BACK, message)
    if candidate.ready < candidate.wanted:
        return _unready(spec, rollout, candidate, now)
    if not readings and _overdue(spec, rollout, now):
        return _silent(spec, rollout, now)
    rollout = rollout.model_copy(update={"silent_since": None})
    waiting = _lacks(spec, rollout)
    if waiting and _overdue(spec, rollout, now):
        message = (
            f"too little traffic to judge weight {rollout.weight} within rollout.progressDeadline "
            f"({spec.progress_deadline}): {waiting}; send more, or lower rollout.minRequests"
        )
        return Move("RollBack", rollout, Reason.WAITING_FOR_TRAFFIC, message)
    if not held:
        return Move(
            "Hold", rollout, message=_story(rollout), wait=min(LOOK_AGAIN, until(_hold_ends(spec, rollout), now))
        )
    if waiting:
        return Move("Hold", rollout, Reason.WAITING_FOR_TRAFFIC, f"{_story(rollout)}; {waiting}")
    if not told and (spec.min_requests or any(c.verdict != "Pass" for c in rollout.checks)):
        return Move("Hold", rollout, message=_story(rollout))
    return _to(spec, rollout, rollout.step + 1, now, _story(rollout))


def _silent(spec: Rollout, rollout: RolloutStatus, now: datetime) -> Move:
    """An operator that was away has not asked yet. What cannot be asked for as long as the deadline is taken back."""
    since = rollout.silent_since
    if since is None or moment(since) > now:
        since = timestamp(now)
    end = later(since, seconds(spec.progress_deadline))
    limit = f"rollout.progressDeadline ({spec.progress_deadline})"
    if now >= end:
        message = f"no server told its figures for {limit}: let the operator reach port {MANAGEMENT_PORT} of its pods"
        return Move("RollBack", rollout, Reason.DEADLINE_EXCEEDED, message)
    rollout = rollout.model_copy(update={"silent_since": since})
    message = f"{_story(rollout)}; no server tells its figures now"
    return Move("Hold", rollout, Reason.WAITING_FOR_TRAFFIC, message, wait=min(LOOK_AGAIN, until(end, now)))


def _to(spec: Rollout, rollout: RolloutStatus, step: int, now: datetime, because: str) -> Move:
    """The step of that index. Past the last one, and at a weight of 100 that is not to be held, is the promotion."""
    if step >= len(spec.steps) or (spec.steps[step].weight == 100 and not seconds(spec.steps[step].hold)):
        return Move("Promote", rollout, Reason.PROMOTED, because)
    reached = RolloutStatus(
        step=step,
        weight=spec.steps[step].weight,
        started_at=rollout.started_at,
        step_started_at=timestamp(now),
    )
    return Move("Advance", reached, message=f"{because}; now at weight {reached.weight}")


def _hold_ends(spec: Rollout, rollout: RolloutStatus) -> datetime:
    hold = spec.steps[rollout.step].hold if 0 <= rollout.step < len(spec.steps) else "0s"
    return later(rollout.step_started_at, seconds(hold))


def _overdue(spec: Rollout, rollout: RolloutStatus, now: datetime) -> bool:
    """The deadline counts from the end of the step's hold: a long hold is no failure."""
    return (now - _hold_ends(spec, rollout)).total_seconds() >= seconds(spec.progress_deadline)


def _lacks(spec: Rollout, rollout: RolloutStatus) -> str:
    """What is missing for a judgement, in words; empty where nothing is."""
    if rollout.requests < spec.min_requests:
        return f"the candidate answered {rollout.requests} of rollout.minRequests {spec.min_requests}"
    open_checks = [c.metric for c in rollout.checks if c.verdict == "Inconclusive"]
    return f"too few requests to compare for {', '.join(open_checks)}" if open_checks else ""


def _story(rollout: RolloutStatus) -> str:
    figures = ", ".join(f"{c.metric} {c.value}" for c in rollout.checks)
    return f"weight {rollout.weight}: {rollout.requests} requests" + (f", {figures}" if figures else "")
