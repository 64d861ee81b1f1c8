"""Asking pods, with a real server in the pod's place."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from modelyard.contract.progress import Routing
from modelyard.plan.plan import Key
from modelyard.runtime.cache import Cache
from modelyard.runtime.pods import Pods
from tests.unit.runtime.objects import pod

OWNER = Key("Dataset", "ns", "d")


class Pod:
    """What a pod's management port answers, and what it was told."""

    def __init__(self) -> None:
        self.stage = "Checking"
        self.epoch = ""
        self.asked = 0
        self.told: list[dict[str, Any]] = []
        self.broken = False
        self.padding = 0
        self.metrics: dict[str, float] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [web.get("/progress", self.progress), web.get("/stats", self.stats), web.put("/routing", self.put)]
        )
        return app

    async def progress(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.broken:
            return web.Response(status=500)
        return web.json_response({"stage": self.stage, "message": "x" * self.padding, "metrics": self.metrics})

    async def stats(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"epoch": self.epoch})

    async def put(self, request: web.Request) -> web.Response:
        routing = await request.json()
        self.told.append(routing)
        self.epoch = routing["epoch"]
        return web.Response()


class Bench:
    def __init__(self, server: Pod, port: int, session: aiohttp.ClientSession) -> None:
        self.pod = server
        self.session = session
        self.now = 0.0
        self.cache = Cache()
        self.woken: list[Key] = []
        self.pods = Pods(self.cache, self.woken.append, 15, port, clock=lambda: self.now)

    def running(self, name: str = "p", role: str = "build", **status: Any) -> None:
        self.cache.put(pod(name, "d", role=role, **{"phase": "Running", "podIP": "127.0.0.1", **status}))

    async def round(self, after: float = 0) -> None:
        self.now += after
        await self.pods.round(self.session)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    served = Pod()
    async with TestServer(served.app()) as server, aiohttp.ClientSession() as session:
        yield Bench(served, server.port or 0, session)


async def test_a_changed_reading_wakes_the_owner_once(bench: Bench) -> None:
    bench.running()
    bench.pods.ask(OWNER, ("p",), {})
    await bench.round()
    assert bench.cache.reading("ns", "p") == {"stage": "Checking", "percent": 0, "message": "", "metrics": {}}
    assert bench.woken == [OWNER]
    await bench.round(after=15)
    assert bench.pod.asked == 2
    assert bench.woken == [OWNER]


async def test_a_pod_is_asked_no_more_often_than_allowed(bench: Bench) -> None:
    bench.running()
    for _ in range(3):
        bench.pods.ask(OWNER, ("p",), {})
        await bench.round(after=1)
    assert bench.pod.asked == 1


@pytest.mark.parametrize("status", [{"phase": "Pending"}, {"phase": "Succeeded"}, {"podIP": ""}])
async def test_only_running_pods_with_an_address_are_asked(bench: Bench, status: dict[str, str]) -> None:
    bench.running(**status)
    bench.pods.ask(OWNER, ("p", "unknown"), {})
    await bench.round()
    assert bench.pod.asked == 0


async def test_a_pod_that_is_no_longer_named_is_left_alone(bench: Bench) -> None:
    bench.running()
    bench.pods.ask(OWNER, ("p",), {})
    await bench.round()
    bench.pods.ask(OWNER, (), {})
    await bench.round(after=15)
    assert bench.pod.asked == 1


async def test_a_silent_pod_keeps_its_reading_for_two_minutes(bench: Bench) -> None:
    bench.running()
    bench.pods.ask(OWNER, ("p",), {})
    await bench.round()
    bench.pod.broken = True
    await bench.round(after=100)
    assert bench.cache.reading("ns", "p")
    await bench.round(after=21)
    assert bench.cache.reading("ns", "p") is None
    assert bench.woken == [OWNER, OWNER]


async def test_an_endless_answer_is_refused(bench: Bench) -> None:
    bench.running()
    bench.pod.padding = 100_000
    bench.pods.ask(OWNER, ("p",), {})
    await bench.round()
    assert bench.pod.asked == 1
    assert bench.cache.reading("ns", "p") is None


async def test_a_metric_that_is_no_number_is_left_out(bench: Bench) -> None:
    bench.running()
    bench.pod.metrics = {"loss": float("nan"), "accuracy": 0.5}
    bench.pods.ask(OWNER, ("p",), {})
    await bench.round()
    reading = bench.cache.reading("ns", "p")
    assert reading
    assert reading["metrics"] == {"accuracy": 0.5}


async def test_a_server_in_another_epoch_is_told_its_routing(bench: Bench) -> None:
    bench.running(role="server")
    routing = Routing(epoch="e1", candidate="r2", weight=10)
    bench.pods.ask(OWNER, ("p",), {"p": routing})
    await bench.round()
    assert bench.pod.told == [routing.wire()]
    await bench.round(after=15)
    assert len(bench.pod.told) == 1, "it is in the right epoch now"
    bench.pod.epoch = ""
    await bench.round(after=15)
    assert len(bench.pod.told) == 2, "a restarted pod has forgotten"


async def test_a_new_routing_does_not_wait_for_its_turn(bench: Bench) -> None:
    bench.running(role="server")
    bench.pods.ask(OWNER, ("p",), {"p": Routing(epoch="e1")})
    await bench.round()
    bench.pods.ask(OWNER, ("p",), {"p": Routing(epoch="e2")})
    await bench.round(after=1)
    assert [told["epoch"] for told in bench.pod.told] == ["e1", "e2"]
