"""Answers one parsed call: by this server's model, or by the candidate's with this server's as second opinion."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import uuid4

from modelyard.contract.capture import sampled
from modelyard_kit.model import Prediction
from modelyard_serving.call import Answer, Call, Request, error_answer
from modelyard_serving.errors import RequestError
from modelyard_serving.forward import Forwarded, forward
from modelyard_serving.http import DisconnectedError, Receive
from modelyard_serving.records import CaptureRecord
from modelyard_serving.routing import candidate_url, disagreements, takes_candidate
from modelyard_serving.serving import Loaded, Serving

log = logging.getLogger(__name__)


class Work(NamedTuple):
    """A call to be answered: `path` for other servers, `seconds` spent on it until now; `receive` tells when its caller
    leaves, None where the task that answers is cancelled then."""

    loaded: Loaded
    request: Request
    call: Call
    path: str
    seconds: float
    receive: Receive | None


class Outcome(NamedTuple):
    """This server's own answer; `prediction` is None where the model failed or took too long."""

    answer: Answer
    prediction: Prediction | None
    milliseconds: float


@dataclass(frozen=True)
class Comparison:
    """The candidate's answer, as this server would write it, and how far the two differ."""

    answer: Answer
    rows: int
    different: int


Answered = tuple[Answer, CaptureRecord | None]  # and what is kept of it


async def answer_routed(serving: Serving, work: Work, pinned: bool) -> Answered:
    """By the candidate where the id falls to it, unless the caller asks for this revision (`pinned`). Raises
    DisconnectedError."""
    if not pinned and takes_candidate(serving.routing, work.call.inference_id):
        return await answer_split(serving, work)
    own = await answer_alone(serving, work)
    return own.answer, record(serving, work, own, "stable")


async def answer_alone(serving: Serving, work: Work) -> Outcome:
    """Raises DisconnectedError when nobody waits for it any more."""
    statistics = serving.statistics  # of the epoch in which the request came
    started = time.perf_counter()
    prediction: Prediction | None = None
    try:
        prediction = await serving.patience.awaited(
            work.loaded.predictor.predict(work.call.rows), work.receive, work.call.seconds
        )
        answer = work.call.render(prediction)
    except DisconnectedError:
        raise
    except RequestError as error:
        answer = error_answer(error)
    except Exception:
        answer = fault("the model failed on this request")
    seconds = time.perf_counter() - started
    milliseconds = (work.seconds + seconds) * 1000
    serving.metrics.rows += work.call.rows.count
    statistics.stable.answered(milliseconds, failed=answer.status >= 500)
    return Outcome(answer, prediction, milliseconds)


async def answer_split(serving: Serving, work: Work) -> Answered:
    """The candidate's answer, which the candidate captures; where it has none, this server's own."""
    statistics = serving.statistics
    url = candidate_url(serving.task.name, str(serving.routing.candidate)) + work.path
    request = work.call.detour.there() if work.call.detour else work.request
    sent, own = await asyncio.gather(
        forward(serving.client, url, request, work.call.inference_id, work.call.seconds), answer_alone(serving, work)
    )
    compared = _compare(work, sent, own)
    statistics.candidate.answered(sent.milliseconds, failed=compared is None)
    serving.metrics.forwarded.labels("failed" if compared is None else "answered").inc()
    if compared is None:
        return own.answer, record(serving, work, own, "stable")
    statistics.compared += compared.rows
    statistics.disagreed += compared.different
    serving.metrics.compared.labels("agreed").inc(compared.rows - compared.different)
    serving.metrics.compared.labels("disagreed").inc(compared.different)
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


def fault(what: str) -> Answer:
    """A 500 with an id under which the log of this server has the exception being handled."""
    identity = uuid4().hex[:12]
    log.exception("fault %s: %s", identity, what)
    return error_answer(RequestError(500, f"{what}: the server's log has the cause under fault {identity}"))


def _compare(work: Work, sent: Forwarded, own: Outcome) -> Comparison | None:
    """None where the candidate gave no usable answer; no rows where this server has none to compare."""
    if sent.answer is None:
        return None
    try:
        answer = work.call.detour.back(sent.answer) if work.call.detour else sent.answer
        theirs = work.call.read(answer.body)
        if own.answer.status != 200:
            return Comparison(answer, 0, 0)
        ours = work.call.read(own.answer.body)
        numeric = work.loaded.endpoint.manifest.task == "regression"
        return Comparison(answer, len(ours), disagreements(ours, theirs, numeric))
    except (ValueError, LookupError, TypeError):
        log.warning("the candidate's answer to %s cannot be read", work.call.inference_id)
        return None
