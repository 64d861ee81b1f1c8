"""Probes and metrics over HTTP."""

import aiohttp

from modelyard.runtime import health
from modelyard.runtime.health import LATE, Pulse
from tests.cluster.waiting import free_ports


async def test_probes_answer_by_state_and_metrics_are_there() -> None:
    (port,) = free_ports(1)
    ready, trouble = False, ""
    async with health.served(port, lambda: trouble, lambda: ready), aiohttp.ClientSession() as session:

        async def ask(path: str) -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status, await answer.text()

        assert await ask("/healthz") == (200, "ok\n")
        trouble = "nothing moves"
        assert await ask("/healthz") == (503, "not ok: nothing moves\n")
        assert (await ask("/readyz"))[0] == 503
        ready = True
        assert (await ask("/readyz"))[0] == 200
        status, text = await ask("/metrics")
    assert status == 200
    for name in ("workqueue_depth", "controller_runtime_reconcile_total", "modelyard_leader"):
        assert f"# TYPE {name} " in text


def test_a_late_event_loop_shows_before_and_after_it_moves_again() -> None:
    now = 0.0
    pulse = Pulse(clock=lambda: now)
    now = 1.0
    pulse.beat()
    assert pulse.lag() == 0
    now = 2 + LATE + 1  # the next beat was due at 2
    assert pulse.lag() == LATE + 1
    pulse.beat()
    assert pulse.lag() == LATE + 1
    now += 1
    pulse.beat()
    assert pulse.lag() == 0
