"""Requests that are refused, reset, hang, come late or half: each is tried again, nothing is lost or done twice."""

from typing import Any

import pytest

from tests.cluster.fault_proxy.effects import Effect, Hang, Refuse, Reset, Slow, Truncate
from tests.cluster.fault_proxy.rules import Rule, once
from tests.cluster.fault_proxy.server import FaultProxy
from tests.integration.runtime.cluster import User, operating, quiet
from tests.integration.runtime.proxied import pauses

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
CHILD = "/configmaps/one-task"
STATUS = "/datasets/one/status"
FAILED = Refuse(500, "InternalError")
PASSING: list[Effect] = [
    Refuse(409, "Conflict"),
    Refuse(409, "Conflict", done=True),
    Refuse(429, "TooManyRequests", retry_after=1),
    FAILED,
    Refuse(500, "InternalError", done=True),
    Refuse(504, "Timeout", done=True),
    Reset(),
    Reset(done=True),
    Slow(1),
    Truncate(),
    Truncate(framed=True),
]


def conditions(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in resource.get("status", {}).get("conditions", [])}


@pytest.mark.parametrize("effect", PASSING, ids=lambda e: e.name)
async def test_a_write_that_fails_is_made_again_and_once(user: User, proxy: FaultProxy, effect: Effect) -> None:
    proxy.script(once(effect, CHILD, "PATCH"), once(effect, STATUS, "PATCH"))
    async with operating(user):
        await user.dataset("one", "version")
        await user.ready("one")
        await quiet()
        assert proxy.counts()[effect.name] == 2
        child = await user.get("ConfigMap", "one-task")
        assert child
        assert child["data"] == {"words": "version"}
        assert len(proxy.records(CHILD, "PATCH")) <= 2
        assert len(proxy.records(STATUS, "PATCH")) <= 2


async def test_a_write_that_is_never_answered_is_given_up_and_made_again(user: User, proxy: FaultProxy) -> None:
    proxy.script(once(Hang(60), CHILD, "PATCH"))
    async with operating(user):
        await user.dataset("one", "a")
        await user.until("ConfigMap", "one-task", bool, within=20)
        assert pauses(proxy.records(CHILD, "PATCH"))[0] >= 5


async def test_the_pauses_between_attempts_grow(user: User, proxy: FaultProxy) -> None:
    proxy.script(Rule(FAILED, frozenset({"PATCH"}), CHILD, times=5))
    async with operating(user):
        await user.dataset("one", "a")
        await user.until("ConfigMap", "one-task", bool, within=40)
        between = pauses(proxy.records(CHILD, "PATCH"))
    assert len(between) == 5
    for number, seconds in enumerate(between):
        assert seconds >= 0.25 * 2**number  # half of the pause is jitter


async def test_retry_after_is_waited_for(user: User, proxy: FaultProxy) -> None:
    proxy.script(once(Refuse(429, "TooManyRequests", retry_after=4), CHILD, "PATCH"))
    async with operating(user):
        await user.dataset("one", "a")
        await user.until("ConfigMap", "one-task", bool, within=20)
        (between,) = pauses(proxy.records(CHILD, "PATCH"))
        assert between >= 4
        await user.dataset("two", "a")
        await user.ready("two")


async def test_what_fails_for_long_is_shown_until_it_works_again(user: User, proxy: FaultProxy) -> None:
    proxy.script(Rule(FAILED, frozenset({"PATCH"}), CHILD))
    async with operating(user):
        await user.dataset("one", "a")
        found = await user.until("Dataset", "one", conditions, within=40)
        ready = conditions(found)["Ready"]
        assert (ready["status"], ready["reason"]) == ("False", "InternalError")
        assert "500" in ready["message"]
        assert "tries again" in ready["message"]
        proxy.script()
        await user.dataset("one", "b")
        found = await user.until("Dataset", "one", lambda d: conditions(d)["Ready"]["status"] == "True", within=40)
        assert conditions(found)["Ready"]["reason"] == "Ready"


@pytest.mark.parametrize(
    "effect",
    [FAILED, Refuse(429, "TooManyRequests", retry_after=1), Reset(), Truncate(), Truncate(framed=True), Slow(1)],
    ids=lambda e: e.name,
)
async def test_lists_that_fail_at_the_start_are_made_again(user: User, proxy: FaultProxy, effect: Effect) -> None:
    """The first two of every kind."""
    kinds = ("datasets", "trainingjobs", "modeldeployments", "driftmonitors", "configmaps", "jobs", "pods")
    proxy.script(*(Rule(effect, frozenset({"GET"}), f"/{kind}$", watch=False, times=2) for kind in kinds))
    await user.dataset("one", "a")
    async with operating(user):
        await user.until("Dataset", "one", conditions, within=60)
        await user.dataset("two", "a")
        await user.ready("two")


async def test_a_list_whose_snapshot_expires_between_pages_begins_anew(
    user: User, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelyard.runtime.client.PAGE", 2)
    for number in range(5):
        await user.dataset(f"d{number}", "a")
    expired = Refuse(410, "Expired", "The provided continue parameter is too old")
    proxy.script(Rule(expired, path="/datasets$", query="continue=", times=2))
    async with operating(user):
        for number in range(5):
            await user.until("Dataset", f"d{number}", conditions, within=60)
        await user.dataset("new", "a")
        await user.ready("new")
        assert proxy.counts()[expired.name] == 2
        lists = [record.call for record in proxy.records("/datasets") if not record.call.watch]
        anew = [call for call in lists if "continue=" not in call.query]
        assert len(anew) > 2
