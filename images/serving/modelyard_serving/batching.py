"""Requests that wait for the model at the same time are asked as one: most of a prediction's cost is per call.

What waits is taken at the end of the event loop's turn, or after a share of the learned time of a batch where waiting
has paid. One bad request never harms the others of its batch: they are asked one by one then.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from modelyard_kit.model import Prediction
from modelyard_serving.learning import Learned
from modelyard_serving.rows import Rows, joined

MAX_ROWS = 256  # of a batch, unless one request has more
Ask = Callable[[Rows], Prediction]
Observe = Callable[[float, int], None]  # seconds in the model, requests that were asked together


class Receiver(Protocol):
    """Who waits for an answer; a future is one. It may change its mind, and then gets none."""

    def cancelled(self) -> bool: ...
    def set_result(self, result: Prediction, /) -> None: ...
    def set_exception(self, exception: BaseException, /) -> None: ...


@dataclass(slots=True)
class Waiting:
    rows: Rows
    receiver: Receiver


class Batcher:
    """Answers `Prediction` per `Rows`, in their order. Lives on one event loop; the model's own errors pass through."""

    def __init__(self, ask: Ask, learned: Learned) -> None:
        self._ask = ask
        self._learned = learned
        self.observe: Observe = lambda seconds, requests: None
        self._waiting: deque[Waiting] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predict")
        self._busy = False  # a batch is in the thread, or the end of a wait is set
        self._wait: asyncio.TimerHandle | None = None

    def predict(self, rows: Rows) -> "asyncio.Future[Prediction]":
        answer: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        self.predict_for(answer, rows)
        return answer

    def predict_for(self, receiver: Receiver, rows: Rows) -> None:
        """The receiver is told in a later turn of the loop."""
        self._waiting.append(Waiting(rows, receiver))
        if not self._busy:
            self._busy = True
            self._begin()
        elif self._wait and self._learned.is_whole(len(self._waiting)):
            self._wait.cancel()
            self._wait = None
            asyncio.get_running_loop().call_soon(self._flush)

    def _begin(self) -> None:
        loop, wait = asyncio.get_running_loop(), self._learned.wait
        if wait:
            self._wait = loop.call_later(wait, self._flush)
        else:
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._wait = None
        batch = self._take()
        if not batch:
            self._busy = False
            return
        count = sum(one.rows.count for one in batch)
        if self._learned.inline and count <= MAX_ROWS:
            self._done(batch, self._answers(batch))
            return
        answers = asyncio.get_running_loop().run_in_executor(self._thread, self._answers, batch)
        answers.add_done_callback(lambda done: self._done(batch, done.result()))

    def _take(self) -> list[Waiting]:
        """The next of those that still want an answer, at least one."""
        batch: list[Waiting] = []
        count = 0
        while self._waiting and (not batch or count + self._waiting[0].rows.count <= MAX_ROWS):
            one = self._waiting.popleft()
            if not one.receiver.cancelled():
                batch.append(one)
                count += one.rows.count
        return batch

    def _answers(self, batch: Sequence[Waiting]) -> list[Prediction | BaseException]:
        """One for each of the batch."""
        if len(batch) == 1:
            return [self._one(batch[0].rows)]
        try:
            together = self.ask(joined([one.rows for one in batch]), len(batch))
            return list(split(together, [one.rows.count for one in batch]))
        except Exception:
            return [self._one(one.rows) for one in batch]

    def _one(self, rows: Rows) -> Prediction | BaseException:
        try:
            return self.ask(rows)
        except Exception as error:
            return error

    def ask(self, rows: Rows, requests: int = 1) -> Prediction:
        """The model's answer now, to rows of so many requests; learns from the time it takes."""
        started = time.perf_counter()
        prediction = self._ask(rows)
        seconds = time.perf_counter() - started
        self._learned.took(seconds, requests)
        self.observe(seconds, requests)
        return prediction

    def _done(self, batch: Sequence[Waiting], answers: Sequence[Prediction | BaseException]) -> None:
        for one, answer in zip(batch, answers, strict=True):
            if one.receiver.cancelled():
                continue
            if isinstance(answer, BaseException):
                one.receiver.set_exception(answer)
            else:
                one.receiver.set_result(answer)
        self._busy = bool(self._waiting)
        if self._busy:
            asyncio.get_running_loop().call_soon(self._flush)  # they have waited for the batch before


def split(together: Prediction, counts: Sequence[int]) -> list[Prediction]:
    """The parts of a batch's answer, by rows. Nobody gets a row of somebody else."""
    if sum(counts) != len(together.values):
        raise ValueError(f"{len(together.values)} answers for {sum(counts)} rows")
    parts, begin = [], 0
    for count in counts:
        place = slice(begin, begin + count)
        begin += count
        scores = together.scores[place] if together.scores is not None else None
        matrix = together.probabilities[place] if together.probabilities is not None else None
        parts.append(Prediction(together.values[place], scores, matrix))
    return parts
