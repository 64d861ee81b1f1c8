"""Events about children: asked for exactly these, not too often, beside everything else."""

from collections.abc import Mapping
from typing import Any

from modelyard.plan.plan import Key
from modelyard.runtime.cache import Cache
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ForbiddenError
from modelyard.runtime.inspection import EVERY, KEPT, SELDOM, Inspection
from tests.unit.runtime.objects import pod

OWNER = Key("Dataset", "ns", "d")


class Answers(Client):
    """Stands in for the API server's answers, which the integration tests get from a real one."""

    def __init__(self) -> None:
        super().__init__(None)
        self.events: dict[str, list[Mapping[str, Any]]] = {}
        self.asked: list[str] = []
        self.refuses = False
        self.pods: list[dict[str, Any]] = []

    async def pods_of_job(self, namespace: str, uid: str) -> list[dict[str, Any]]:
        self.asked.append(uid)
        if self.refuses:
            raise ForbiddenError(403, "Forbidden", "pods is forbidden")
        return self.pods

    async def events_about(self, namespace: str, uid: str) -> list[Mapping[str, Any]]:
        self.asked.append(uid)
        if self.refuses:
            raise ForbiddenError(403, "Forbidden", "events is forbidden")
        return self.events.get(uid, [])


class Bench:
    def __init__(self) -> None:
        self.now = 1000.0
        self.client, self.cache = Answers(), Cache()
        self.woken: list[Key] = []
        self.inspection = Inspection(self.client, self.cache, self.woken.append, lambda: self.now)

    async def after(self, seconds: float) -> list[str]:
        """What is asked in the round after so many seconds."""
        self.now += seconds
        self.client.asked = []
        await self.inspection.round()
        return self.client.asked


def child(name: str) -> dict[str, Any]:
    made = pod(name, "d")
    return {**made, "metadata": {**made["metadata"], "uid": f"uid-{name}"}}


def event(reason: str, at: str, **more: Any) -> dict[str, Any]:
    return {"reason": reason, "message": f"{reason} it is", "lastTimestamp": at, "metadata": {}, **more}


async def test_what_is_told_is_kept_newest_first_and_wakes_the_owner() -> None:
    bench = Bench()
    bench.client.events["uid-p"] = [event("A", "2026-03-01T12:00:00Z"), event("B", "2026-03-01T12:00:05.123456Z")]
    bench.inspection.look_at(OWNER, (child("p"),))
    assert await bench.after(0) == ["uid-p"]
    assert [t.reason for t in bench.cache.told("uid-p")] == ["B", "A"]
    assert bench.woken == [OWNER]
    assert bench.cache.told("uid-q") == ()


async def test_an_object_is_asked_about_every_fifteen_seconds_and_more_seldom_without_news() -> None:
    bench = Bench()
    bench.inspection.look_at(OWNER, (child("p"),))
    assert await bench.after(0) == ["uid-p"]
    bench.inspection.look_at(OWNER, (child("p"),))
    assert await bench.after(EVERY - 1) == []
    assert await bench.after(2 * EVERY) == ["uid-p"]
    for _ in range(5):
        await bench.after(SELDOM)
    assert await bench.after(SELDOM - 1) == []
    assert await bench.after(1) == ["uid-p"]
    assert bench.woken == []


async def test_only_so_many_are_asked_about_at_once_and_each_in_its_turn() -> None:
    bench = Bench()
    bench.inspection.look_at(OWNER, tuple(child(f"p{n}") for n in range(10)))
    asked = [await bench.after(0.5) for _ in range(3)]
    assert [len(each) for each in asked] == [4, 4, 2]
    assert len({uid for each in asked for uid in each}) == 10


async def test_what_is_no_longer_of_interest_is_forgotten() -> None:
    bench = Bench()
    bench.client.events["uid-p"] = [event("A", "2026-03-01T12:00:00Z")]
    bench.inspection.look_at(OWNER, (child("p"),))
    bench.inspection.look_at(Key("Dataset", "ns", "other"), (child("q"),))
    await bench.after(0)
    bench.inspection.look_at(OWNER, ())
    assert bench.cache.told("uid-p") == ()
    assert await bench.after(10 * SELDOM) == ["uid-q"]


async def test_a_refusal_changes_nothing_and_is_asked_again() -> None:
    bench = Bench()
    bench.client.events["uid-p"] = [event("A", "2026-03-01T12:00:00Z")]
    bench.inspection.look_at(OWNER, (child("p"),))
    await bench.after(0)
    bench.client.refuses = True
    assert await bench.after(EVERY) == ["uid-p"]
    assert [t.reason for t in bench.cache.told("uid-p")] == ["A"]
    assert bench.woken == [OWNER]


def job(*conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {**child("j"), "kind": "Job", "status": {"conditions": list(conditions)}}


COMPLETE = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-03-01T12:00:00Z"}


async def test_the_pods_of_a_job_that_has_ended_are_read_once() -> None:
    bench = Bench()
    bench.client.pods = [child("p")]
    bench.inspection.look_at(OWNER, (job(COMPLETE),))
    assert await bench.after(0) == ["uid-j"]
    assert bench.cache.pods_read("uid-j")
    assert [c["metadata"]["name"] for c in bench.cache.children(OWNER)] == ["p"]
    assert bench.woken == [OWNER]
    bench.inspection.look_at(OWNER, ())
    assert await bench.after(SELDOM) == []


async def test_pods_that_could_not_be_read_are_asked_for_again() -> None:
    bench = Bench()
    bench.client.refuses = True
    bench.inspection.look_at(OWNER, (job(COMPLETE),))
    await bench.after(0)
    assert not bench.cache.pods_read("uid-j")
    bench.client.refuses = False
    assert await bench.after(EVERY) == ["uid-j"]
    assert bench.cache.pods_read("uid-j")


async def test_a_job_that_ends_while_its_events_are_asked_for_has_its_pods_read_at_once() -> None:
    bench = Bench()
    bench.inspection.look_at(OWNER, (job(),))
    await bench.after(0)
    assert not bench.cache.pods_read("uid-j")
    bench.inspection.look_at(OWNER, (job(COMPLETE),))
    assert await bench.after(0) == ["uid-j"]
    assert bench.cache.pods_read("uid-j")


async def test_few_events_are_kept_by_any_of_their_times() -> None:
    bench = Bench()
    of_new_form = {"lastTimestamp": None, "series": {"lastObservedTime": "2026-03-01T13:00:00.000001Z"}}
    bench.client.events["uid-p"] = [
        *(event(f"E{n}", f"2026-03-01T12:00:0{n}Z") for n in range(9)),
        {**event("Series", ""), **of_new_form},
    ]
    bench.inspection.look_at(OWNER, (child("p"),))
    await bench.after(0)
    told = bench.cache.told("uid-p")
    assert (len(told), told[0].reason, told[0].at) == (KEPT, "Series", "2026-03-01T13:00:00")
