"""The last look at the lease, against a real HTTP server that tells what arrives."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.runtime.fence import fenced, watched


@pytest_asyncio.fixture
async def server() -> AsyncIterator[TestServer]:
    async def take(request: web.Request) -> web.Response:
        request.app[ARRIVED].append(await request.text())
        return web.Response()

    app = web.Application()
    app[ARRIVED] = []
    app.router.add_route("*", "/", take)
    made = TestServer(app)
    async with made:
        yield made


ARRIVED: web.AppKey[list[str]] = web.AppKey("arrived", list)


async def test_a_write_that_comes_to_be_sent_after_the_lease_was_lost_is_not_sent(server: TestServer) -> None:
    held = [True]
    config = watched(lambda: held[0])
    async with aiohttp.ClientSession(trace_configs=[config]) as session:
        with fenced():
            await (await session.patch(server.make_url("/"), data="while it was held")).read()
            held[0] = False
            for _ in range(2):  # on the pooled connection, and on a new one
                with pytest.raises(aiohttp.ClientConnectionError, match="lease was lost"):
                    await session.delete(server.make_url("/"), data="after it was lost")
    assert server.app[ARRIVED] == ["while it was held"]


async def test_a_renewal_of_the_lease_itself_is_sent_without_it(server: TestServer) -> None:
    async with aiohttp.ClientSession(trace_configs=[watched(lambda: False)]) as session:
        await session.put(server.make_url("/"), data="a renewal")
    assert server.app[ARRIVED] == ["a renewal"]
