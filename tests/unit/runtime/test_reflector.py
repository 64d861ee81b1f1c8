"""How long a watch that broke off stays away."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest

from modelyard.runtime import reflector
from modelyard.runtime.cache import Cache
from modelyard.runtime.client import Client
from modelyard.runtime.errors import UnavailableError
from modelyard.runtime.intake import Intake
from modelyard.runtime.queue import Queue
from modelyard.runtime.resources import resource_of
from modelyard.runtime.watches import Watches
from tests.unit.runtime.objects import dataset

Changes = AsyncGenerator[tuple[str, dict[str, Any]], None]


class Breaking(Client):
    """Each of its watches tells so many changes before it breaks off."""

    def __init__(self, *told: int) -> None:
        super().__init__(None)
        self.told = list(told)
        self.over = asyncio.Event()

    async def watch(self, *_: Any) -> Changes:
        if not self.told:
            self.over.set()
            await asyncio.Event().wait()
        return self.changes(self.told.pop(0))

    async def changes(self, many: int) -> Changes:
        for number in range(many):
            yield "MODIFIED", dataset("d", 100 - 10 * len(self.told) + number)
        raise UnavailableError(0, "", "the connection was reset")


class Ending(Breaking):
    """Its watches end without an error."""

    async def changes(self, many: int) -> Changes:
        with suppress(UnavailableError):
            async for change in super().changes(many):
                yield change


async def pauses(monkeypatch: pytest.MonkeyPatch, *told: int, of: type[Breaking] = Breaking) -> list[int]:
    """The failures in a row after which it paused, until all these watches are over."""
    seen: list[int] = []

    def backoff(failures: int, *_: Any, **__: Any) -> float:
        seen.append(failures)
        return 0.0

    monkeypatch.setattr(reflector, "backoff", backoff)
    client = of(*told)
    place = (resource_of("Dataset"), None)
    run = asyncio.create_task(reflector.Reflector(client, Intake(Cache(), Queue()), Watches(), place, "1").run())
    async with asyncio.timeout(10):
        await client.over.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    return seen


async def test_failures_in_a_row_are_paused_after_for_longer_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await pauses(monkeypatch, 0, 0, 0) == [1, 2, 3]


async def test_a_watch_that_told_something_before_it_broke_off_begins_a_new_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await pauses(monkeypatch, 0, 0, 3, 0, 1, 1) == [1, 2, 1, 2, 1, 1]


async def test_watches_that_end_at_once_and_tell_nothing_are_paused_after(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await pauses(monkeypatch, 0, 0, 3, 0, 0, of=Ending) == [1, 2, 1, 2]


async def test_a_watch_that_ends_in_its_time_is_begun_again_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflector, "_AT_ONCE", 0.0)
    assert await pauses(monkeypatch, 0, 0, of=Ending) == []
