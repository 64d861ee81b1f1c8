"""/healthz, /readyz and /metrics on one port. /healthz fails when work waits and nothing has been finished for long."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST


@asynccontextmanager
async def served(port: int, healthy: Callable[[], bool], ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Answers while the context lasts. Raises OSError if the port is taken."""

    def answer(state: Callable[[], bool]) -> Callable[[web.Request], "web.Response"]:
        return lambda request: web.Response(text="ok\n") if state() else web.Response(status=503, text="not ok\n")

    async def healthz(request: web.Request) -> web.Response:
        return answer(healthy)(request)

    async def readyz(request: web.Request) -> web.Response:
        return answer(ready)(request)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, None, port).start()
        yield
    finally:
        await runner.cleanup()
