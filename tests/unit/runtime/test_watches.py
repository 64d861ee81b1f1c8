"""A watch that does not begin again is dead, whatever its connection looks like."""

import aiohttp
import pytest
from aiohttp import web

from modelyard.runtime.metrics import NO_ANSWER
from modelyard.runtime.resources import WATCHED
from modelyard.runtime.watches import SILENT, Watches
from tests.cluster.waiting import free_ports
from tests.unit.runtime.samples import sample

DATASETS = "/apis/modelyard.dev/v1alpha1/namespaces/{}/datasets"


class Clock:
    now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def begin_all(watches: Watches, but: str, namespaces: list[str]) -> None:
    for resource in WATCHED:
        for namespace in namespaces:
            path = resource.path(namespace)
            if path != but:
                watches.begun(path, 200)


def test_nothing_is_dead_before_watches_are_expected(clock: Clock) -> None:
    watches = Watches([], clock)
    clock.now += 10 * SILENT
    assert watches.dead() == []


@pytest.mark.parametrize("status", [200, 403])
def test_a_watch_that_only_fails_is_dead_after_a_while(clock: Clock, status: int) -> None:
    watches = Watches(["a", "b"], clock)
    watches.expect()
    clock.now += SILENT + 1
    path = DATASETS.format("b")
    begin_all(watches, path, ["a", "b"])
    watches.begun(path, status)
    assert watches.dead() == ([] if status == 200 else ["Dataset"])
    assert watches.last_starts()["Dataset"] == (clock.now if status == 200 else 5000.0)


def test_a_proxys_prefix_does_not_hide_a_watch(clock: Clock) -> None:
    watches = Watches(["a"], clock)
    watches.expect()
    clock.now += 7
    watches.begun("/k8s/clusters/c-1" + DATASETS.format("a"), 200)
    assert watches.last_starts()["Dataset"] == clock.now


async def test_requests_of_the_session_are_counted_and_watches_noticed(clock: Clock) -> None:
    watches = Watches(["a"], clock)
    watches.expect()
    clock.now += 7
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}{DATASETS.format('a')}"
    before = [sample("rest_client_requests_total", code=code, method="GET") for code in ("200", NO_ANSWER)]

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="{}")

    app = web.Application()
    app.add_routes([web.get(DATASETS.format("a"), answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    async with aiohttp.ClientSession(trace_configs=[watches.tracing()]) as session:
        async with session.get(url) as listed:
            assert listed.status == 200
        assert watches.last_starts()["Dataset"] == 5000.0
        async with session.get(url, params={"watch": "true"}) as watched:
            assert watched.status == 200
        assert watches.last_starts()["Dataset"] == clock.now
        await runner.cleanup()
        with pytest.raises(aiohttp.ClientError):
            await session.get(url, params={"watch": "true"})
    after = [sample("rest_client_requests_total", code=code, method="GET") for code in ("200", NO_ANSWER)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1]
