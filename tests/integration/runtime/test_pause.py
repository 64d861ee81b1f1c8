"""The annotation modelyard.dev/paused: seen, obeyed whatever happens, and made up for afterwards."""

import asyncio
from typing import Any

import pytest

from modelyard.plan.labels import PAUSED
from tests.integration.runtime.cluster import User, operating, quiet, writes
from tests.integration.runtime.test_reconciling import conditions, events

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


async def pause(user: User, name: str, wanted: str | None = "true") -> None:
    await user.merge("Dataset", name, {"metadata": {"annotations": {PAUSED: wanted}}})


def is_paused(found: dict[str, Any]) -> bool:
    return "Paused" in conditions(found)


async def test_nothing_is_written_for_a_paused_resource_at_any_resync(user: User) -> None:
    async with operating(user, resync_seconds=1):
        await user.dataset("one", "a")
        before = await user.ready("one")
        await pause(user, "one")
        shown = await user.until("Dataset", "one", is_paused)
        assert [conditions(shown)[t] for t in ("Ready", "Stalled")] == [
            conditions(before)[t] for t in ("Ready", "Stalled")
        ]
        assert shown["status"]["phase"] == before["status"]["phase"]
        sent = await quiet()
        await user.merge("ConfigMap", "one-task", {"data": {"words": "mine"}})
        await user.delete("Service", "one")
        await asyncio.sleep(5)  # some lists, each of which would heal
        assert writes() == sent
        config = await user.get("ConfigMap", "one-task")
        assert config
        assert config["data"] == {"words": "mine"}
        assert await user.get("Service", "one") is None
        assert await events(user) == []


async def test_what_was_changed_during_a_pause_is_mended_after_it(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await pause(user, "one")
        await user.until("Dataset", "one", is_paused)
        await user.merge("ConfigMap", "one-task", {"data": {"words": "mine"}})
        await user.delete("Service", "one")
        await quiet()
        await pause(user, "one", None)
        await user.until("ConfigMap", "one-task", lambda c: c["data"] == {"words": "a"})
        await user.until("Service", "one", bool, within=45)  # by the lists where its watch had not begun
        assert not is_paused(await user.ready("one"))


async def test_a_spec_changed_during_a_pause_is_obeyed_after_it(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await pause(user, "one")
        await user.until("Dataset", "one", is_paused)
        await user.merge("Dataset", "one", {"spec": {"transform": {"sql": "b"}}})
        await quiet()
        found = await user.get("Dataset", "one")
        assert found
        assert found["status"]["observedGeneration"] == 1  # so that tools see that it was not obeyed yet
        await pause(user, "one", None)
        await user.ready("one", generation=2)
        config = await user.get("ConfigMap", "one-task")
        assert config
        assert config["data"] == {"words": "b"}


async def test_only_the_word_true_pauses(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a", annotations={PAUSED: "false"})
        assert not is_paused(await user.ready("one"))


async def test_a_paused_resource_stays_so_over_a_restart(user: User) -> None:
    await user.dataset("one", "a", annotations={PAUSED: "true"})
    for _ in range(2):
        async with operating(user):
            await user.until("Dataset", "one", lambda d: d.get("status") and is_paused(d))
            sent = await quiet(2)
            assert await user.get("ConfigMap", "one-task") is None
    assert writes() == sent
