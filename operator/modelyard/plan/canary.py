"""What serves and what comes next: stable, candidate and previous revision, moved on by one reconcile.

Promotion moves the model and its baseline profile together: both are of the revision in status.stable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelyard.api.conditions import timestamp
from modelyard.api.serving import ModelDeploymentStatus, Revision, Rollback, Rollout
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import DETAIL_LIMIT, plain
from modelyard.plan.plan import Event
from modelyard.plan.revision import ROLLBACKS_KEPT, Choice
from modelyard.plan.rollout import Candidate, Move, advance, begin


@dataclass(frozen=True)
class Turn:
    """The status after this reconcile; `move` is there while a candidate is."""

    status: ModelDeploymentStatus
    events: tuple[Event, ...] = ()
    move: Move | None = None


def target(status: ModelDeploymentStatus, choice: Choice, now: datetime) -> Turn:
    """Take up the chosen model: the first one serves at once, a later one becomes the candidate."""
    status = status.model_copy(update={"proposed": choice.proposed})
    model = choice.model
    if model is None:
        return Turn(status)
    if status.stable is None:
        said = Event("Normal", Reason.STARTING, f"{_name(model)} is the first model: it serves once it is ready")
        return Turn(status.model_copy(update={"stable": model}), (said,))
    if model.model_digest == status.stable.model_digest:
        return withdrawn(status, "it is no longer to be served", now)
    if status.candidate and model.model_digest == status.candidate.model_digest and status.rollout:
        return Turn(status)
    said = Event("Normal", Reason.ROLLING_OUT, f"{_name(model)} starts beside {_name(status.stable)}")
    return Turn(status.model_copy(update={"candidate": model, "rollout": begin(now)}), (said,))


def withdrawn(status: ModelDeploymentStatus, because: str, now: datetime) -> Turn:
    """Without the candidate, which may be tried again."""
    if status.candidate is None:
        return Turn(status)
    said = Event("Normal", Reason.ROLLING_OUT, f"the rollout of {_name(status.candidate)} ends: {because}")
    return Turn(status.model_copy(update={"candidate": None, "rollout": None, "withdrawn_at": timestamp(now)}), (said,))


def roll(
    turn: Turn,
    spec: Rollout,
    candidate: Candidate,
    stable_ready: int,
    readings: Sequence[Mapping[str, Any]],
    now: datetime,
) -> Turn:
    """The next move. A stable revision without a ready pod cannot share: a ready candidate takes over."""
    status = turn.status
    if status.rollout is None:
        return turn
    if not stable_ready and candidate.ready >= candidate.wanted:
        move = Move("Promote", status.rollout, Reason.PROMOTED, "no pod of the stable revision is ready")
    else:
        move = advance(spec, status.rollout, candidate, readings, now)
    match move.kind:
        case "Promote":
            return _promote(turn, move, now)
        case "RollBack":
            return _roll_back(turn, move, now)
        case "Advance":
            said: tuple[Event, ...] = (Event("Normal", Reason.ROLLING_OUT, f"{_of(status)}: {move.message}"),)
        case "Hold":
            said = ()
    return Turn(status.model_copy(update={"rollout": move.rollout}), (*turn.events, *said), move)


def _promote(turn: Turn, move: Move, now: datetime) -> Turn:
    status = turn.status
    new = status.candidate
    if new is None:
        return turn
    after = {
        "previous": status.stable,
        "stable": new.model_copy(update={"since": timestamp(now)}),
        "candidate": None,
        "rollout": None,
    }
    said = Event("Normal", Reason.PROMOTED, f"{_name(new)} serves all requests: {move.message}")
    return Turn(status.model_copy(update=after), (*turn.events, said))


def _roll_back(turn: Turn, move: Move, now: datetime) -> Turn:
    status = turn.status
    old = status.candidate
    if old is None:
        return turn
    message = f"{move.reason}: {move.message}" if move.reason != Reason.ROLLED_BACK else move.message
    entry = Rollback(
        revision=old.revision, model_digest=old.model_digest, at=timestamp(now), message=plain(message, DETAIL_LIMIT)
    )
    after = {"rolled_back": [*status.rolled_back, entry][-ROLLBACKS_KEPT:], "candidate": None, "rollout": None}
    said = Event("Warning", Reason.ROLLED_BACK, f"{_name(old)} was taken back: {message}")
    return Turn(status.model_copy(update=after), (*turn.events, said))


def _name(revision: Revision) -> str:
    return f"revision {revision.revision} ({revision.training_job})"


def _of(status: ModelDeploymentStatus) -> str:
    return _name(status.candidate) if status.candidate else ""
