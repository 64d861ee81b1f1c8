"""/healthz, /readyz and /metrics on one port. /healthz says what is wrong when a restart would help.

A replica that stands by is ready: it answers here, its cache is in step, and it could lead.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from modelyard.runtime.metrics import LOOP_LAG

LATE = 10.0  # seconds; an event loop this late renews no lease in time
_BEAT = 1.0  # seconds


class Pulse:
    """How late the event loop is, measured by a task that wants to run every second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = clock() + _BEAT
        self._lag = 0.0

    def lag(self) -> float:
        """Seconds: of the last beat, or of one that is still to come."""
        return max(self._lag, self._clock() - self._due)

    def beat(self) -> None:
        now = self._clock()
        self._lag = max(0.0, now - self._due)
        self._due = now + _BEAT
        LOOP_LAG.set(self._lag)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            self.beat()


@asynccontextmanager
async def served(port: int, trouble: Callable[[], str], ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Answers while the context lasts; `trouble` is "" where all is well. Raises OSError if the port is taken."""
    pulse = Pulse()

    async def healthz(request: web.Request) -> web.Response:
        lag = pulse.lag()
        wrong = f"the event loop is {lag:.0f} s late" if lag > LATE else trouble()
        return _answer(wrong)

    async def readyz(request: web.Request) -> web.Response:
        return _answer("" if ready() else "the cache is not synced yet")

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    beating = asyncio.create_task(pulse.run())
    try:
        await web.TCPSite(runner, None, port).start()
        yield
    finally:
        beating.cancel()
        await runner.cleanup()


def _answer(wrong: str) -> web.Response:
    return web.Response(status=503, text=f"not ok: {wrong}\n") if wrong else web.Response(text="ok\n")
