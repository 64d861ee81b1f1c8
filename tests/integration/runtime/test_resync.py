"""What no watch tells is noticed by listing."""

import pytest
from prometheus_client import REGISTRY

from modelyard.plan.plan import Key
from modelyard.runtime.cache import Cache
from modelyard.runtime.intake import Intake
from modelyard.runtime.queue import Queue
from modelyard.runtime.resync import Resync
from tests.integration.runtime.cluster import User, operating, quiet

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


async def test_a_changed_child_is_healed(user: User) -> None:
    async with operating(user, resync_seconds=1):
        await user.dataset("one", "a")
        await user.ready("one")
        await user.merge("ConfigMap", "one-task", {"data": {"words": "mine"}})
        await user.until("ConfigMap", "one-task", lambda c: c["data"] == {"words": "a"})


async def test_healing_what_is_healthy_changes_nothing(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await quiet()
        before = [await user.get(kind, name) for kind, name in (("Service", "one"), ("ConfigMap", "one-task"))]
    async with operating(user, resync_seconds=0.5):
        await user.dataset("other", "b")
        await user.ready("other")
        await user.merge("ConfigMap", "other-task", {"data": {"words": "mine"}})
        await user.until("ConfigMap", "other-task", lambda c: c["data"] == {"words": "b"})
    after = [await user.get(kind, name) for kind, name in (("Service", "one"), ("ConfigMap", "one-task"))]
    assert after == before


async def test_a_deletion_that_no_watch_told_is_noticed(user: User) -> None:
    intake = Intake(Cache(), Queue())
    resync = Resync(user.client, intake, lambda key: None, [user.namespace], 600)
    await user.dataset("kept", "a")
    await user.dataset("gone", "a")
    await resync.once()
    assert intake.cache.get(Key("Dataset", user.namespace, "gone"))
    await user.delete("Dataset", "gone")
    await user.dataset("new", "a")
    found = REGISTRY.get_sample_value("modelyard_resync_deletions_total", {"kind": "Dataset"})
    await resync.once()
    assert REGISTRY.get_sample_value("modelyard_resync_deletions_total", {"kind": "Dataset"}) == (found or 0) + 1
    assert {key.name for key in intake.cache.keys("Dataset", user.namespace)} == {"kept", "new"}


async def test_lists_longer_than_a_page_are_complete(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard.runtime.client.PAGE", 2)
    intake = Intake(Cache(), Queue())
    for number in range(5):
        await user.dataset(f"d{number}", "a")
    await Resync(user.client, intake, lambda key: None, [user.namespace], 600).once()
    assert len(list(intake.cache.keys("Dataset"))) == 5
