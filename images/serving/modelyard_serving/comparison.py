"""The candidate's answer: how it is asked for, how far it and this server's own differ, and where that is counted."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelyard_serving.call import Answer
from modelyard_serving.forward import Forwarded, forward
from modelyard_serving.metrics import Metrics
from modelyard_serving.routing import candidate_url, disagreements
from modelyard_serving.serving import Serving
from modelyard_serving.statistics import Statistics
from modelyard_serving.work import Outcome, Work

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """The candidate's answer, as this server would write it, and the predictions of both; those of this server are
    empty where it has none."""

    answer: Answer
    theirs: Sequence[Any]
    ours: Sequence[Any]
    different: int


async def ask_candidate(serving: Serving, work: Work, seconds: float, shadow: bool = False) -> Forwarded:
    """As `forward`; a call that did not come by HTTP goes there by it."""
    url = candidate_url(serving.task.name, str(serving.routing.candidate)) + work.path
    request = work.call.detour.there() if work.call.detour else work.request
    return await forward(serving.client, url, request, work.call.inference_id, seconds, shadow)


def compare(work: Work, sent: Forwarded, own: Outcome) -> Comparison | None:
    """None where the candidate gave no usable answer."""
    if sent.answer is None:
        return None
    try:
        answer = work.call.detour.back(sent.answer) if work.call.detour else sent.answer
        theirs = work.call.read(answer.body)
        if own.answer.status != 200:
            return Comparison(answer, theirs, (), 0)
        ours = work.call.read(own.answer.body)
        numeric = work.loaded.endpoint.manifest.task == "regression"
        return Comparison(answer, theirs, ours, disagreements(ours, theirs, numeric))
    except (ValueError, LookupError, TypeError):
        log.warning("the candidate's answer to %s cannot be read", work.call.inference_id)
        return None


def count(statistics: Statistics, metrics: Metrics, sent: Forwarded, compared: Comparison | None) -> None:
    """`statistics` of the epoch in which the request came."""
    statistics.candidate.answered(sent.milliseconds, failed=compared is None)
    metrics.forwarded.labels("failed" if compared is None else "answered").inc()
    if compared is None:
        return
    rows = len(compared.ours)
    statistics.compared += rows
    statistics.disagreed += compared.different
    metrics.compared.labels("agreed").inc(rows - compared.different)
    metrics.compared.labels("disagreed").inc(compared.different)
