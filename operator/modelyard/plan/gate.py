"""The gate: champion and challenger on labelled rows newer than all the challenger was trained on.

Too few such rows is no verdict: the gate looks again, less and less often, until its timeout.
"""

from datetime import datetime

from modelyard.api.drift import GateStatus
from modelyard.api.fields import seconds
from modelyard.contract.results import GateResult
from modelyard.contract.wording import DETAIL_LIMIT, plain
from modelyard.plan.measure import decimal
from modelyard.plan.moments import later, moment, until
from modelyard.plan.results import Attempt
from modelyard.plan.retrain import Loop, failed, promoted, refused
from modelyard.plan.retry import pause

PAUSE = "1m"  # before the gate looks again, at first
ATTEMPTS = 5  # without any result


def judged(loop: Loop, attempt: Attempt) -> Loop:
    """What a finished attempt means. A failure of the world is tried again, as are too few rows."""
    job, failure = loop.current.training_job, attempt.failure
    result = attempt.result if isinstance(attempt.result, GateResult) else None
    if result:
        loop = loop.retraining(gate=_recorded(result))
    if result and result.verdict == "Promote":
        return promoted(loop, f"{job} passed the gate: {result.message}")
    if result and result.verdict == "Refuse":
        return refused(loop, f"{job} was refused: {result.message}")
    if failure and (failure.blame == "user" or _given_up(loop)):
        return failed(loop, f"the gate of {job} failed: {failure.reason}: {failure.message}")
    if loop.now >= _timeout(loop):
        limit = loop.spec.retrain.gate.timeout
        text = f"{job} could not be judged within retrain.gate.timeout ({limit})"
        if loop.current.gate:
            return refused(loop, f"{text}: {loop.current.gate.message}")
        return failed(loop, f"{text}: no attempt gave a result")
    if loop.now >= _next(loop, attempt):
        return loop.retraining(gate_attempt=loop.current.gate_attempt + 1)
    return loop


def wait(loop: Loop, attempt: Attempt) -> float:
    """Seconds until a finished attempt without a verdict is followed by the next one, or by the timeout."""
    return min(until(_next(loop, attempt), loop.now), until(_timeout(loop), loop.now))


def _given_up(loop: Loop) -> bool:
    return loop.current.gate is None and loop.current.gate_attempt >= ATTEMPTS


def _next(loop: Loop, attempt: Attempt) -> datetime:
    ended = moment(attempt.ended_at) if attempt.ended_at else loop.now
    return ended + pause(PAUSE, loop.current.gate_attempt)


def _timeout(loop: Loop) -> datetime:
    started = loop.current.gate_started_at or loop.current.requested_at
    return later(started, seconds(loop.spec.retrain.gate.timeout))


def _recorded(result: GateResult) -> GateStatus:
    def figure(value: float | None) -> str | None:
        return None if value is None else decimal(value)

    return GateStatus(
        verdict=result.verdict,
        metric=result.metric,
        champion=figure(result.champion),
        challenger=figure(result.challenger),
        difference=figure(result.difference),
        lower=figure(result.lower),
        rows=result.rows,
        message=plain(result.message, DETAIL_LIMIT),
    )
