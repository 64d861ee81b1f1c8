"""The management port of all running pods: each has a loopback address of its own, where the operator asks it."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from modelyard.contract.progress import Parity, Progress, Routing, ServingStats, VariantStats
from modelyard.contract.tasks import MANAGEMENT_PORT
from tests.cluster.mock_kubelet.life import Seen

Traffic = Callable[[Seen, Routing], ServingStats]  # what a server has counted since it was told that routing
PARITY = Parity(rows=3, max_difference=0.0)  # a server that is ready answers as training did
_STAGES = {"build": "Checking", "attempt": "Training", "check": "Comparing", "gate": "Judging"}


def healthy(seen: Seen, routing: Routing) -> ServingStats:
    """A hundred requests to each side, all answered in 3 ms and all alike."""
    return counted(routing)


def counted(routing: Routing, errors: int = 0, disagreed: int = 0) -> ServingStats:
    """A hundred requests to each side, so many of the candidate's not as they should be."""
    latency = [0, 0, 100, *[0] * 11]
    stable = VariantStats(requests=100, latency=latency)
    if not routing.weight:
        return ServingStats(epoch=routing.epoch, stable=stable, captured=100, parity=PARITY)
    candidate = VariantStats(requests=100, errors=errors, latency=latency)
    return ServingStats(
        epoch=routing.epoch,
        stable=stable,
        candidate=candidate,
        compared=100,
        disagreed=disagreed,
        captured=200,
        parity=PARITY,
    )


@dataclass
class _Server:
    seen: Seen
    listening: asyncio.Server
    routing: Routing


class Management:
    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._servers: dict[str, _Server] = {}
        self._network = random.randrange(64, 255)  # noqa: S311 - apart from other mocks of this machine
        self._next = 0
        application = web.Application()
        application.router.add_get("/progress", self._progress)
        application.router.add_get("/stats", self._stats)
        application.router.add_put("/routing", self._route)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start(self) -> None:
        await self._runner.setup()

    async def stop(self) -> None:
        for address in list(self._servers):
            await self.close(address)
        await self._runner.cleanup()

    async def open(self, seen: Seen) -> str:
        """The pod's address, where it answers from now on."""
        while True:
            self._next += 1
            high, low = divmod(self._next % 65_000, 250)
            address = f"127.{self._network}.{high}.{low + 1}"
            try:
                await self._listen(address, seen)
            except OSError:  # another mock's pod
                continue
            return address

    async def _listen(self, address: str, seen: Seen) -> None:
        """Known before it listens, and closed by whatever ends the wait: the pod may be deleted in that very turn."""
        answers, loop = self._runner.server, asyncio.get_running_loop()
        assert answers is not None, "start comes first"
        listening = await loop.create_server(answers, address, MANAGEMENT_PORT, backlog=8, start_serving=False)
        self._servers[address] = _Server(seen, listening, Routing(epoch=""))
        try:
            await listening.start_serving()
        except BaseException:
            await self.close(address)
            raise

    async def close(self, address: str) -> None:
        """Whoever is just being accepted is let in first: a server that is closed meanwhile forgets the connection, and
        leaves it open (https://github.com/python/cpython/issues/109564)."""
        listening, loop = self._servers.pop(address).listening, asyncio.get_running_loop()
        for accepting in listening.sockets:
            loop.remove_reader(accepting.fileno())
        try:
            await asyncio.sleep(0)
        finally:
            listening.close()

    def _of(self, request: web.Request) -> _Server:
        """Raises HTTPGone on a connection that outlived its pod."""
        address = request.transport.get_extra_info("sockname")[0] if request.transport else ""
        if address not in self._servers:
            raise web.HTTPGone
        return self._servers[address]

    async def _progress(self, request: web.Request) -> web.Response:
        stage = _STAGES.get(self._of(request).seen.role, "Serving")
        return web.json_response(Progress(stage=stage, percent=50).wire())

    async def _stats(self, request: web.Request) -> web.Response:
        server = self._of(request)
        return web.json_response(self._traffic(server.seen, server.routing).wire())

    async def _route(self, request: web.Request) -> web.Response:
        self._of(request).routing = Routing.model_validate_json(await request.read())
        return web.Response(status=204)
