"""Workers: take a key, reconcile it, count it, log it in one line, and put it back after an error."""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from modelyard.plan.plan import Key
from modelyard.runtime.budget import OverBudgetError
from modelyard.runtime.errors import ApiError, ConflictError, ForbiddenError, UnavailableError
from modelyard.runtime.fence import FencedError
from modelyard.runtime.metrics import WORKERS, reconciles_of
from modelyard.runtime.queue import Queue
from modelyard.runtime.reconcile import PlanningError, Reconciler
from modelyard.runtime.resources import OWN_KINDS
from modelyard.runtime.trace import Trace, reconciling

SOONEST = 0.1  # seconds; a planner that asks for less would spin

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    again: float | None  # seconds until the key comes again
    error: Exception | None = None

    @property
    def result(self) -> str:
        """Its name in metrics."""
        if self.error:
            return "error"
        return "success" if self.again is None else "requeue_after"


class Worker:
    def __init__(self, queue: Queue[Key], reconciler: Reconciler) -> None:
        self._queue = queue
        self._reconciler = reconciler
        self.finished = datetime.now(UTC)  # the last reconcile; for the health check
        for kind in OWN_KINDS:
            reconciles_of(kind)  # series begin at 0, so that the first error is an increase
            WORKERS.labels(kind).set(0)

    async def run(self, workers: int) -> None:
        """Works until it is cancelled. Raises FencedError when this replica may not write any more.

        `workers` is how many run this at once.
        """
        self.finished = datetime.now(UTC)  # a standby has not been idle, it was not asked
        for kind in OWN_KINDS:
            WORKERS.labels(kind).set(workers)
        while True:
            key = await self._queue.get()
            try:
                with reconciling(key) as trace:
                    await self._one(key, trace)
            finally:
                self._queue.done(key)
                self.finished = datetime.now(UTC)

    async def _one(self, key: Key, trace: Trace) -> None:
        series = reconciles_of(key.kind)
        started = time.monotonic()
        with series.active.track_inprogress():
            outcome = await self._attempt(key)
        seconds = time.monotonic() - started
        series.results[outcome.result].inc()
        series.seconds.observe(seconds)
        if outcome.error:
            series.errors.inc()
            if not isinstance(outcome.error, ApiError):
                series.panics.inc()
        again = None if outcome.again is None else round(outcome.again, 2)
        fields = {"result": outcome.result, "seconds": round(seconds, 4), "writes": trace.writes, "again": again}
        _tell(outcome.error, trace.writes, {"fields": fields})

    async def _attempt(self, key: Key) -> Outcome:
        try:
            again = await self._reconciler.reconcile(key, self._queue.failures(key))
        except FencedError:
            raise
        except OverBudgetError as over:
            log.warning("put off: %s", over)
            self._queue.add_after(key, over.wait)
            return Outcome(over.wait)
        except Exception as error:
            wait = self._queue.retry(key, error.retry_after if isinstance(error, UnavailableError) else 0.0)
            return Outcome(wait, error)
        self._queue.succeeded(key)
        if again is not None:
            self._queue.add_after(key, max(SOONEST, again))
        return Outcome(again)


def _tell(error: Exception | None, writes: int, extra: dict[str, object]) -> None:
    """What changed nothing is of interest to nobody; what will pass by itself neither."""
    if error is None:
        log.log(logging.INFO if writes else logging.DEBUG, "reconciled", extra=extra)
    elif isinstance(error, ConflictError) or (isinstance(error, ForbiddenError) and error.terminating):
        log.debug("reconcile failed: %s", error, extra=extra)
    elif isinstance(error, ApiError):
        log.warning("reconcile failed: %s", error, extra=extra)
    elif isinstance(error, PlanningError):
        log.error("reconcile failed: %s", error, extra=extra, exc_info=error.__cause__)
    else:
        log.error("reconcile failed: %s", error, extra=extra, exc_info=error)
