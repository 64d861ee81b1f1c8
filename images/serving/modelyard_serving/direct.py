"""The shortest way to an answer: without a task, from the connection to the batch and back.

It is for a small request that came whole and that this server answers by itself; all others take the ASGI interface.
Both count, capture and refuse alike.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

from modelyard_kit.model import Prediction
from modelyard_serving.answering import outcome, record, refusal
from modelyard_serving.call import LONGEST, Answer, Request
from modelyard_serving.exchange import FAILED
from modelyard_serving.heads import Heads
from modelyard_serving.patience import too_late
from modelyard_serving.routes import Route, match
from modelyard_serving.routing import asks_candidate
from modelyard_serving.serving import Serving
from modelyard_serving.statistics import Statistics
from modelyard_serving.work import Work, addressed

Reply = Callable[[Answer], None]


@lru_cache
def route_of(target: bytes) -> Route | None:
    """Of a request line's target, where it is a plain path of the hot ones."""
    return None if b"?" in target or b"%" in target else match(target.decode("latin-1"))


class DirectCall:
    """One request; the batcher tells it the answer, as it tells a future."""

    __slots__ = ("_asked", "_in_work", "_reply", "_route", "_serving", "_started", "_statistics", "_timer", "_work")

    def __init__(self, serving: Serving, route: Route, reply: Reply) -> None:
        self._serving = serving
        self._route = route
        self._reply = reply
        self._in_work = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """The reply may come at once."""
        serving = self._serving
        self._started = time.perf_counter()
        self._in_work = True
        serving.in_flight += 1
        try:
            serving.check_room()
            loaded, request = addressed(serving, self._route), Request(headers, body)
            call = self._route.parse(request, loaded.endpoint)
            self._statistics: Statistics = serving.statistics
            self._asked = time.perf_counter()
            self._work = Work(loaded, request, call, path, self._asked - self._started, None)
            loaded.predictor.predict_for(self, call.rows)
        except Exception as error:
            self._end(refusal(error, FAILED, self._serving.personal))
            return
        if call.seconds < LONGEST:
            self._timer = asyncio.get_running_loop().call_later(call.seconds, self.give_up)

    def cancelled(self) -> bool:
        return not self._in_work

    def set_result(self, result: Prediction) -> None:
        self._answer(result)

    def set_exception(self, exception: BaseException) -> None:
        self._answer(exception if isinstance(exception, Exception) else RuntimeError(repr(exception)))

    def give_up(self) -> None:
        """The time of its caller is up."""
        if self._in_work:
            self._answer(too_late(self._work.call.seconds))

    def leave(self) -> None:
        """Its caller has left: what still waits is not asked for any more, and nothing is counted."""
        if self._in_work:
            self._close()

    def _answer(self, found: Prediction | Exception) -> None:
        """Never raises: others of the batch wait for theirs."""
        try:
            own = outcome(self._serving, self._statistics, self._work, found, self._asked)
            captured = record(self._serving, self._work, own, "stable")
        except Exception as error:
            self._end(refusal(error, FAILED, self._serving.personal))
            return
        self._end(own.answer)
        self._serving.capture(captured)

    def _end(self, answer: Answer) -> None:
        self._close()
        self._serving.metrics.answered(self._route.protocol, answer.status, time.perf_counter() - self._started)
        self._reply(answer)

    def _close(self) -> None:
        self._in_work = False
        self._serving.in_flight -= 1
        if self._timer:
            self._timer.cancel()


class Direct:
    """What a connection asks whether a request may go the short way."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self.heads = Heads()

    def call(self, target: bytes, reply: Reply) -> DirectCall | None:
        """None where the request needs more than this server's own model, or the connection is to end."""
        serving = self._serving
        route = route_of(target)
        if route is None or serving.draining or asks_candidate(serving.routing):
            return None
        return DirectCall(serving, route, reply)
