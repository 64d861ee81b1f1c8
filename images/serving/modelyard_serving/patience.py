"""How long the model's answer to a request is waited for: until its caller leaves or its time is up.

What still waits in the queue is then not asked for any more. Most answers are there before anybody looks: one timer for
all of them costs less than two for each.
"""

import asyncio
from typing import Any, TypeVar

from modelyard_serving.call import LONGEST
from modelyard_serving.errors import RequestError
from modelyard_serving.http import DisconnectedError, Receive

T = TypeVar("T")


def too_late(seconds: float) -> RequestError:
    return RequestError(
        504, f"the model has not answered within {seconds:g} s: send fewer rows, or ask for more replicas"
    )


LOOK_EVERY = 0.05  # seconds; a request that waits at two looks has its connection watched


class _Watch:
    """Cancels what is waited for; `gone` and `late` say why."""

    __slots__ = ("_answer", "_looking", "_receive", "_timer", "gone", "late", "seen")

    def __init__(self, answer: "asyncio.Future[Any]", receive: Receive | None) -> None:
        self.gone = self.late = self.seen = False
        self._answer = answer
        self._receive = receive
        self._looking: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        if self._receive is not None:
            self._looking = self._looking or asyncio.create_task(self._look(self._receive))

    async def _look(self, receive: Receive) -> None:
        if (await receive())["type"] == "http.disconnect":
            self.gone = True
            self._answer.cancel()

    def end_after(self, seconds: float) -> None:
        self._timer = self._timer or asyncio.get_running_loop().call_later(seconds, self._end)

    def _end(self) -> None:
        self.late = True
        self._answer.cancel()

    def close(self) -> None:
        if self._looking:
            self._looking.cancel()
        if self._timer:
            self._timer.cancel()


class Patience:
    """Lives on one event loop."""

    def __init__(self) -> None:
        self._watches: set[_Watch] = set()
        self._next: asyncio.TimerHandle | None = None

    async def awaited(self, answer: "asyncio.Future[T]", receive: Receive | None, seconds: float) -> T:
        """Raises DisconnectedError when `receive` tells that the caller left, RequestError 504 when the time is up."""
        watch = _Watch(answer, receive)
        if seconds < LONGEST:
            watch.end_after(seconds)
        self._watches.add(watch)
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)
        try:
            return await answer
        except asyncio.CancelledError:
            if watch.late:
                raise too_late(seconds) from None
            if watch.gone:
                raise DisconnectedError from None
            raise
        finally:
            self._watches.discard(watch)
            watch.close()

    def _look(self) -> None:
        self._next = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look) if self._watches else None
        for watch in self._watches:
            if watch.seen:
                watch.look()
                watch.end_after(LONGEST)  # counts from here: a look or two more than said
            watch.seen = True
