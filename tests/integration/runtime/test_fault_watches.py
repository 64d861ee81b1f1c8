"""Watches that hang, break, end or say half: the next one goes on, and what happened meanwhile is not missed."""

import asyncio
import logging
import time

import aiohttp
import pytest

from tests.cluster.fault_proxy.effects import Break, Cut, Effect, Hang, Refuse, Reset, Silence, Truncate
from tests.cluster.fault_proxy.rules import Rule
from tests.cluster.fault_proxy.server import FaultProxy
from tests.integration.runtime.cluster import User, operating

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
SILENT = aiohttp.ClientTimeout(total=None, sock_read=4)  # for 75 seconds


def watches(proxy: FaultProxy, path: str) -> int:
    return sum(record.call.watch for record in proxy.records(path))


async def watched(proxy: FaultProxy, path: str, times: int = 1, within: float = 30) -> None:
    end = time.monotonic() + within
    while watches(proxy, path) < times:
        assert time.monotonic() < end, f"{path} is not watched"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("effect", [Silence(), Hang(60)], ids=["after it began", "before it begins"])
async def test_a_watch_that_hangs_is_noticed(
    user: User, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, effect: Effect
) -> None:
    monkeypatch.setattr("modelyard.runtime.client.WATCH_TIMEOUT", SILENT)
    proxy.script(Rule(effect, path="/datasets$", watch=True, times=1))
    await user.dataset("zero", "a")
    async with operating(user):
        await watched(proxy, "/datasets")
        await user.until("Dataset", "zero", lambda d: d.get("status"), within=30)
        await user.dataset("one", "a")
        await asyncio.sleep(1)
        untouched = await user.get("Dataset", "one")
        assert untouched
        assert "status" not in untouched, "the watch does not hang"
        await user.until("Dataset", "one", lambda d: d.get("status"), within=30)
        assert watches(proxy, "/datasets") >= 2


@pytest.mark.parametrize(
    "effect",
    [
        Break(410, "Expired", after=1),
        Break(500, "InternalError", after=1),
        Break(504, "Timeout", after=1),
        Refuse(410, "Expired"),
        Refuse(500, "InternalError"),
        Refuse(429, "TooManyRequests", retry_after=2),
        Reset(),
        Cut(1),
        Truncate(),
        Truncate(framed=True),
    ],
    ids=lambda e: e.name,
)
async def test_a_watch_that_breaks_is_begun_again(user: User, proxy: FaultProxy, effect: Effect) -> None:
    """Twice, of two kinds, while things change."""
    proxy.script(Rule(effect, path="/(datasets|configmaps)$", watch=True, times=4))
    async with operating(user):
        for number in range(6):
            await user.dataset(f"d{number}", "a")
            await asyncio.sleep(0.5)
        for number in range(6):
            await user.until("Dataset", f"d{number}", lambda d: d.get("status"), within=60)
        await user.delete("ConfigMap", "d0-task")
        await user.until("ConfigMap", "d0-task", bool, within=60)
        assert proxy.counts()[effect.name] >= 2


async def test_a_deletion_in_a_gap_between_watches_is_noticed(
    user: User, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The watch says nothing, then that its version has expired; the list that follows does not tell of deletions."""
    monkeypatch.setattr("modelyard.runtime.client.WATCH_TIMEOUT", SILENT)
    caplog.set_level(logging.INFO, "modelyard.runtime.listing")
    await user.dataset("one", "a")
    await user.dataset("two", "a")
    proxy.script(Rule(Silence(), path="/configmaps$", watch=True))
    async with operating(user):
        await watched(proxy, "/configmaps")
        await user.ready("one")
        await user.ready("two")
        await user.delete("ConfigMap", "one-task")
        proxy.script(Rule(Refuse(410, "Expired"), path="/configmaps$", watch=True, times=1))
        await user.until("ConfigMap", "one-task", bool, within=60)
        assert "1 deletions of configmaps that no watch had told" in caplog.text
