"""What one replica does with a resource and its children, seen from outside."""

from typing import Any

import pytest

from modelyard.plan.labels import MANAGED_BY, PAUSED
from tests.integration.runtime.cluster import User, operating, quiet, writes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


def conditions(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in resource["status"]["conditions"]}


async def test_children_are_applied_once_and_owned(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        found = await user.ready("one")
        config = await user.get("ConfigMap", "one-task")
        assert config
        assert config["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
        assert [entry["manager"] for entry in config["metadata"]["managedFields"]] == ["modelyard"]
        before = await quiet()
        await user.merge("Dataset", "one", {"metadata": {"annotations": {"looked": "at"}}})
        assert await quiet() == before


async def test_a_changed_spec_changes_the_children_that_it_concerns(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        service = await user.get("Service", "one")
        await user.dataset("one", "b")
        await user.ready("one", generation=2)
        config = await user.get("ConfigMap", "one-task")
        assert config
        assert config["data"] == {"words": "b"}
        assert await user.get("Service", "one") == service


async def test_a_restart_writes_nothing(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard.runtime.events.WINDOW", 1e9)  # else the tests may meet the turn of one
    await user.dataset("one", "version tell")
    async with operating(user):
        await user.ready("one")
        await quiet()
    before = await user.get("Dataset", "one")
    sent = writes()
    async with operating(user):
        await quiet(2)
    assert await user.get("Dataset", "one") == before
    assert writes() - sent <= 1  # the event, told again by another process, which the API server refuses
    assert len(await events(user)) == 1


async def test_a_deleted_child_comes_back(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await user.delete("ConfigMap", "one-task")
        # At once by the watch; by the lists after the start if the watch of ConfigMaps had not begun yet.
        await user.until("ConfigMap", "one-task", bool, within=45)


async def test_a_child_without_our_label_gets_it_back(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await quiet()
        await user.merge("ConfigMap", "one-task", {"metadata": {"labels": {MANAGED_BY: None}}})
        await user.until("ConfigMap", "one-task", lambda c: MANAGED_BY in c["metadata"]["labels"])


async def test_an_unwanted_child_is_deleted(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await user.dataset("one", "a noservice")
        await user.until("Service", "one", lambda found: found is None)


async def test_fields_that_a_status_no_longer_has_vanish(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "version")
        found = await user.ready("one")
        assert found["status"]["current"]["rows"] == 3
        await user.dataset("one", "plain")
        found = await user.ready("one", generation=2)
        assert "current" not in found["status"]


async def test_nothing_is_done_for_a_paused_resource(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a", annotations={PAUSED: "true"})
        found = await user.until("Dataset", "one", lambda d: d.get("status"))
        assert conditions(found)["Paused"]["status"] == "True"
        await quiet()
        assert await user.get("ConfigMap", "one-task") is None
        await user.merge("Dataset", "one", {"metadata": {"annotations": {PAUSED: None}}})
        assert "Paused" not in conditions(await user.ready("one"))


async def test_pausing_leaves_children_as_they_are(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a")
        await user.ready("one")
        await user.dataset("one", "b", annotations={PAUSED: "true"})
        await user.until("Dataset", "one", lambda d: "Paused" in conditions(d))
        await user.merge("ConfigMap", "one-task", {"data": {"words": "mine"}})
        await quiet()
        config = await user.get("ConfigMap", "one-task")
        assert config
        assert config["data"] == {"words": "mine"}


async def test_a_deleted_resource_is_left_to_the_garbage_collector(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "a", finalizers=["example.com/keeps"])
        await user.ready("one")
        await user.delete("Dataset", "one")
        before = await quiet()
        await user.delete("ConfigMap", "one-task")
        assert await quiet() == before
        await user.merge("Dataset", "one", {"metadata": {"finalizers": None}})


async def test_a_planner_that_crashes_is_shown_and_the_others_go_on(user: User) -> None:
    async with operating(user):
        await user.dataset("bad", "crash")
        found = await user.until("Dataset", "bad", lambda d: d.get("status"))
        ready = conditions(found)["Ready"]
        assert (ready["status"], ready["reason"]) == ("False", "InternalError")
        assert "ValueError: the planner met something" in ready["message"]
        assert found["status"]["observedGeneration"] == 1
        await user.dataset("good", "a")
        await user.ready("good")
        await user.dataset("bad", "mended")
        assert conditions(await user.ready("bad", generation=2))["Ready"]["reason"] == "Ready"


async def test_what_the_api_server_refuses_is_shown_with_its_words(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "refused")
        found = await user.until("Dataset", "one", lambda d: d.get("status"))
        stalled = conditions(found)["Stalled"]
        assert (stalled["status"], stalled["reason"]) == ("True", "ConfigError")
        assert "99999" in stalled["message"]
        assert "spec.ports[0].port" in stalled["message"]
        await user.dataset("one", "allowed")
        assert conditions(await user.ready("one", generation=2))["Stalled"]["status"] == "False"


async def test_an_event_is_told_once(user: User) -> None:
    async with operating(user):
        await user.dataset("one", "tell")
        await user.ready("one")
        await user.merge("Dataset", "one", {"metadata": {"annotations": {"looked": "at"}}})
        await quiet()
    (event,) = await events(user)
    assert (event["reason"], event["note"], event["type"]) == ("UpToDate", "nothing to do", "Normal")
    assert event["regarding"]["kind"] == "Dataset"


async def events(user: User) -> list[dict[str, Any]]:
    path = f"/apis/events.k8s.io/v1/namespaces/{user.namespace}/events"
    items: list[dict[str, Any]] = (await user.call("get", path))["items"]
    return items
