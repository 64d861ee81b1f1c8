"""The one thread that explains: predictions and probes go on meanwhile, and few requests wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from modelyard_kit.failure import TaskFailure
from modelyard_serving.errors import RequestError
from modelyard_serving.explanation.budget import Budget
from modelyard_serving.explanation.options import Method
from modelyard_serving.rows import Rows

if TYPE_CHECKING:
    from modelyard_serving.explanation.explainer import Explained, Explainer

MAX_WAITING = 8  # requests, with the one in work


class ExplanationWorker:
    """Lives on one event loop. Its thread begins, and the explainer is made, with the first request."""

    def __init__(self, begin: "Callable[[], Explainer]") -> None:
        self._begin = begin
        self._explainer: Explainer | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="explain")
        self._waiting = 0

    def explain(
        self, rows: Rows, method: Method, budget: Budget, write: "Callable[[Explained], bytes]"
    ) -> "asyncio.Future[bytes]":
        """What `write` makes of it, in the thread, too. Raises RequestError 429 where too many wait.

        The future raises as `Explainer` and its `explain` do, RequestError 503 where the store does not answer.
        """
        if self._waiting >= MAX_WAITING:
            raise RequestError(429, f"{MAX_WAITING} requests wait for explanations: try again", retry_after=1)
        self._waiting += 1
        answer = asyncio.get_running_loop().run_in_executor(self._thread, self._work, rows, method, budget, write)
        answer.add_done_callback(self._ended)
        return answer

    def _ended(self, _: "asyncio.Future[bytes]") -> None:
        self._waiting -= 1

    def _work(self, rows: Rows, method: Method, budget: Budget, write: "Callable[[Explained], bytes]") -> bytes:
        if self._explainer is None:
            try:
                self._explainer = self._begin()
            except TaskFailure as failure:
                said = f"the model's training sample cannot be read: {failure.message}"
                raise RequestError(503, said, retry_after=10) from failure
        return write(self._explainer.explain(rows, method, budget))
