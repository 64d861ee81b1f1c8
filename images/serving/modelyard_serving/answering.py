"""Answers one parsed call: by this server's model, or by the candidate's with this server's as second opinion."""

import asyncio
import logging
import time
import traceback
from datetime import UTC, datetime
from uuid import uuid4

from modelyard.contract.capture import sampled
from modelyard_kit.model import Prediction
from modelyard_serving.call import Answer, error_answer
from modelyard_serving.comparison import ask_candidate, compare, count
from modelyard_serving.errors import RequestError
from modelyard_serving.http import DisconnectedError
from modelyard_serving.records import CaptureRecord
from modelyard_serving.routing import is_shadowed, takes_candidate
from modelyard_serving.serving import Serving
from modelyard_serving.shadow import ask_beside
from modelyard_serving.statistics import Statistics
from modelyard_serving.work import Outcome, Work

log = logging.getLogger(__name__)


Answered = tuple[Answer, CaptureRecord | None]  # and what is kept of it


async def answer_routed(serving: Serving, work: Work, pinned: bool) -> Answered:
    """By the candidate where the id falls to it, unless the caller asks for this revision (`pinned`). Raises
    DisconnectedError."""
    if not pinned and takes_candidate(serving.routing, work.call.inference_id):
        return await answer_split(serving, work)
    own = await answer_alone(serving, work)
    if not pinned and is_shadowed(serving.routing, work.call.inference_id):
        ask_beside(serving, work, own)
    return own.answer, record(serving, work, own, "stable")


async def answer_alone(serving: Serving, work: Work) -> Outcome:
    """Raises DisconnectedError when nobody waits for it any more."""
    statistics = serving.statistics  # of the epoch in which the request came
    started = time.perf_counter()
    found: Prediction | Exception
    try:
        found = await serving.patience.awaited(
            work.loaded.predictor.predict(work.call.rows), work.receive, work.call.seconds
        )
    except DisconnectedError:
        raise
    except Exception as error:
        found = error
    return outcome(serving, statistics, work, found, started)


def outcome(
    serving: Serving, statistics: Statistics, work: Work, found: Prediction | Exception, started: float
) -> Outcome:
    """Of what the model answered since `started`, or how it failed; it is counted here."""
    prediction: Prediction | None = None
    try:
        if isinstance(found, Exception):
            raise found
        answer = work.call.render(found)
        prediction = found
    except Exception as error:
        answer = refusal(error, "the model failed on this request", serving.personal)
    seconds = time.perf_counter() - started
    milliseconds = (work.seconds + seconds) * 1000
    serving.metrics.rows += work.call.rows.count
    statistics.stable.answered(milliseconds, failed=answer.status >= 500)
    return Outcome(answer, prediction, milliseconds)


async def answer_split(serving: Serving, work: Work) -> Answered:
    """The candidate's answer, which the candidate captures; where it has none, this server's own."""
    statistics = serving.statistics
    sent, own = await asyncio.gather(ask_candidate(serving, work, work.call.seconds), answer_alone(serving, work))
    compared = compare(work, sent, own)
    count(statistics, serving.metrics, sent, compared)
    if compared is None:
        return own.answer, record(serving, work, own, "stable")
    return compared.answer, None


def record(serving: Serving, work: Work, outcome: Outcome, variant: str) -> CaptureRecord | None:
    """What is kept of the request, or None where it is not sampled."""
    if not sampled(work.call.inference_id, serving.task.capture_percent):
        return None
    return CaptureRecord(
        time=datetime.now(UTC),
        size=len(work.request.body),
        inference_id=work.call.inference_id,
        rows=work.call.rows,
        prediction=outcome.prediction,
        variant=variant,
        status=outcome.answer.status,
        latency_ms=outcome.milliseconds,
    )


def refusal(error: Exception, what: str, personal: bool = False) -> Answer:
    """What a caller is told; of what is not his mistake no more than `what`, and an id that the log has it under.

    Where requests are `personal`, the log has the kind and the place of the error, not its words: they repeat values.
    """
    if isinstance(error, RequestError):
        return error_answer(error)
    identity = uuid4().hex[:12]
    if personal:
        place = "".join(traceback.format_tb(error.__traceback__)[-3:])
        log.error("fault %s: %s: %s\n%s", identity, what, type(error).__name__, place)
    else:
        log.error("fault %s: %s", identity, what, exc_info=error)
    return error_answer(RequestError(500, f"{what}: the server's log has the cause under fault {identity}"))
