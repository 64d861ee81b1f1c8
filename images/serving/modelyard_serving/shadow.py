"""Asks the candidate beside, with nobody waiting for it, and keeps both predictions: nobody gets the candidate's."""

import asyncio
from datetime import UTC, datetime

from modelyard_serving.call import LONGEST
from modelyard_serving.comparison import ask_candidate, compare, count
from modelyard_serving.records import ShadowRecord
from modelyard_serving.serving import Serving
from modelyard_serving.work import Outcome, Work

AT_ONCE = 64  # more are left out, and counted: a slow candidate costs no memory


def ask_beside(serving: Serving, work: Work, own: Outcome) -> None:
    """Begins, and returns at once."""
    if len(serving.asked_beside) >= AT_ONCE:
        serving.metrics.forwarded.labels("left out").inc()
        return
    task = asyncio.ensure_future(_ask(serving, work, own))
    serving.asked_beside.add(task)
    task.add_done_callback(serving.asked_beside.discard)


async def _ask(serving: Serving, work: Work, own: Outcome) -> None:
    statistics, revision = serving.statistics, str(serving.routing.candidate)
    sent = await ask_candidate(serving, work, LONGEST, shadow=True)
    compared = compare(work, sent, own)
    count(statistics, serving.metrics, sent, compared)
    if compared is None:
        return
    now = datetime.now(UTC)
    ours = compared.ours or [None] * len(compared.theirs)
    work.loaded.shadows.add(
        [
            ShadowRecord(now, work.call.inference_id, row, len(ours), revision, own_value, their_value)
            for row, (own_value, their_value) in enumerate(zip(ours, compared.theirs, strict=True))
        ]
    )
