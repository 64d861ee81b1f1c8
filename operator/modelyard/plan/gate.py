"""The gate: champion and challenger on labelled rows newer than all the challenger was trained on.

Too few such rows is no verdict: the gate looks again, less and less often, until its timeout.
"""

from datetime import datetime

from modelyard.api.drift import GateStatus
from modelyard.api.fields import seconds
from modelyard.contract.results import FailureResult, GateResult
from modelyard.plan.measure import decimal
from modelyard.plan.moments import later, until
from modelyard.plan.retrain import Loop, failed, promoted, refused

FIRST_PAUSE = 60.0  # seconds before the gate looks again
LONGEST_PAUSE = 300.0


def pause(attempt: int) -> float:
    """Seconds between the end of an attempt and the next one."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 10))


def judged(loop: Loop, result: GateResult | FailureResult | None, ended_at: str) -> Loop:
    """What a finished attempt means. None is an attempt that ended without a word: it is made again."""
    if isinstance(result, FailureResult):
        return failed(loop, f"the gate of {loop.current.training_job} failed: {result.reason}: {result.message}")
    if result is not None:
        loop = loop.retraining(gate=_recorded(result))
    match result.verdict if result else None:
        case "Promote":
            return promoted(loop, _told(loop, result, "passed the gate"))
        case "Refuse":
            return refused(loop, _told(loop, result, "was refused"))
    if loop.now >= _timeout(loop):
        return refused(
            loop, _told(loop, result, f"was not judged within retrain.gate.timeout ({loop.spec.retrain.gate.timeout})")
        )
    if loop.now >= later(ended_at, pause(loop.current.gate_attempt)):
        return loop.retraining(gate_attempt=loop.current.gate_attempt + 1)
    return loop


def wait(loop: Loop, ended_at: str) -> float:
    """Seconds until a finished attempt without a verdict is followed by the next one, or by the timeout."""
    return min(until(later(ended_at, pause(loop.current.gate_attempt)), loop.now), until(_timeout(loop), loop.now))


def _timeout(loop: Loop) -> datetime:
    started = loop.current.gate_started_at or loop.current.requested_at
    return later(started, seconds(loop.spec.retrain.gate.timeout))


def _told(loop: Loop, result: GateResult | None, what: str) -> str:
    figures = result.message if result else "no attempt gave a result"
    return f"{loop.current.training_job} {what}: {figures}"


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
        message=result.message[:512],
    )
