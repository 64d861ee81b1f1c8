"""How long the model's answer to a request is waited for: until its caller leaves or its time is up.

What still waits in the queue is then not asked for any more.
"""

import asyncio

from modelyard_kit.model import Prediction
from modelyard_serving.errors import RequestError
from modelyard_serving.http import DisconnectedError, Receive

LOOK_AFTER = 0.05  # seconds until the connection is watched: most answers are there before and cost nothing more


class _Watch:
    """Cancels what is waited for; `gone` and `late` say why."""

    def __init__(self, answer: "asyncio.Future[Prediction]", receive: Receive) -> None:
        self.gone = self.late = False
        self._answer = answer
        self._receive = receive
        self._looking: asyncio.Task[None] | None = None

    def look(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        if (await self._receive())["type"] == "http.disconnect":
            self.gone = True
            self._answer.cancel()

    def end(self) -> None:
        self.late = True
        self._answer.cancel()

    def close(self) -> None:
        if self._looking:
            self._looking.cancel()


async def awaited(answer: "asyncio.Future[Prediction]", receive: Receive, seconds: float) -> Prediction:
    """Raises DisconnectedError when the caller has left, RequestError 504 when the time is up."""
    loop, watch = asyncio.get_running_loop(), _Watch(answer, receive)
    timers = (loop.call_later(LOOK_AFTER, watch.look), loop.call_later(seconds, watch.end))
    try:
        return await answer
    except asyncio.CancelledError:
        if watch.late:
            raise RequestError(
                504, f"the model has not answered within {seconds:g} s: send fewer rows, or ask for more replicas"
            ) from None
        if watch.gone:
            raise DisconnectedError from None
        raise
    finally:
        watch.close()
        for timer in timers:
            timer.cancel()
