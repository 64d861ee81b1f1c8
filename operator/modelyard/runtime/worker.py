"""Workers: take a key, reconcile it, log and count it, and put it back after an error."""

import logging
import time
from datetime import UTC, datetime

from modelyard.plan.plan import Key
from modelyard.runtime.errors import ApiError, ConflictError, ForbiddenError
from modelyard.runtime.fence import FencedError
from modelyard.runtime.metrics import RECONCILE_SECONDS, RECONCILES
from modelyard.runtime.queue import Queue
from modelyard.runtime.reconcile import PlanningError, Reconciler

SOONEST = 0.1  # seconds; a planner that asks for less would spin

log = logging.getLogger(__name__)


class Worker:
    def __init__(self, queue: Queue[Key], reconciler: Reconciler) -> None:
        self._queue = queue
        self._reconciler = reconciler
        self.finished = datetime.now(UTC)  # the last reconcile; for the health check

    async def run(self) -> None:
        """Works until it is cancelled. Raises FencedError when this replica may not write any more."""
        while True:
            key = await self._queue.get()
            try:
                await self._one(key)
            finally:
                self._queue.done(key)
                self.finished = datetime.now(UTC)

    async def _one(self, key: Key) -> None:
        started = time.monotonic()
        result, again = await self._attempt(key)
        seconds = time.monotonic() - started
        RECONCILES.labels(key.kind, result).inc()
        RECONCILE_SECONDS.labels(key.kind).observe(seconds)
        fields = {"kind": key.kind, "namespace": key.namespace, "name": key.name, "result": result}
        log.info("reconciled", extra={"fields": {**fields, "seconds": round(seconds, 4), "again": again}})

    async def _attempt(self, key: Key) -> tuple[str, float | None]:
        """The result's name in metrics, and in how many seconds the key comes again."""
        try:
            again = await self._reconciler.reconcile(key, self._queue.failures(key))
        except FencedError:
            raise
        except Exception as error:
            wait = self._queue.retry(key)
            _log(key, error)
            return "error", round(wait, 2)
        self._queue.succeeded(key)
        if again is None:
            return "success", None
        self._queue.add_after(key, max(SOONEST, again))
        return "requeue_after", again


def _log(key: Key, error: Exception) -> None:
    where = f"{key.kind} {key.namespace}/{key.name}"
    if isinstance(error, ConflictError) or (isinstance(error, ForbiddenError) and error.terminating):
        log.debug("%s: %s", where, error)
    elif isinstance(error, ApiError):
        log.warning("%s: %s", where, error)
    elif isinstance(error, PlanningError):
        log.error("%s: %s", where, error, exc_info=error.__cause__)
    else:
        log.error("%s: %s", where, error, exc_info=error)
