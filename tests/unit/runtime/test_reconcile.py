"""Reconciles with the real planner of Datasets and the real client, whose requests end in a store in memory."""

import asyncio
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from modelyard.api.conditions import timestamp
from modelyard.contract.reasons import Reason
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.labels import PAUSED, labels_for
from modelyard.plan.plan import Event, Key, Object, Plan, key_of
from modelyard.plan.settings import Settings
from modelyard.runtime.cache import Cache
from modelyard.runtime.client import Client, pace
from modelyard.runtime.errors import ApiError, ConflictError, NotFoundError, UnavailableError
from modelyard.runtime.events import Recorder
from modelyard.runtime.intake import Intake
from modelyard.runtime.queue import Queue
from modelyard.runtime.reconcile import ANOTHER_LOOK, Planner, Reconciler
from modelyard.runtime.worker import Worker
from tests.simulated.server import merged
from tests.unit.plan.builders import NOW
from tests.unit.runtime.objects import dataset, pod

SPEC = {"transform": {"sql": "select 1 as x"}}
Sent = list[tuple[str, str, Any]]  # method, path, body


class Store(Client):
    """Keeps what is written, as the API server does, and tells no watch of it."""

    def __init__(self, *objects: Object) -> None:
        super().__init__(None)
        self.version = 100
        self.objects = {f"datasets/{o['metadata']['name']}": deepcopy(dict(o)) for o in objects}
        self.sent: Sent = []
        self.refusals: dict[str, ApiError] = {}  # by method, or by the path's last part

    async def _request(self, method: str, path: str, *, body: Any = None, **query: Any) -> dict[str, Any]:
        self.sent.append((method, path, body))
        if refusal := self.refusals.get(method) or self.refusals.get(path.rsplit("/", 1)[-1]):
            raise refusal
        place = path.split("/ns/")[1].removesuffix("/status")
        if "field_selector" in query:
            name = query["field_selector"].removeprefix("metadata.name=")
            items = [deepcopy(obj) for where, obj in self.objects.items() if where == f"{place}/{name}"]
            return {"metadata": {"resourceVersion": str(self.version)}, "items": items}
        if path.endswith("/status"):
            body = {**self.objects[place], "status": merged(self.objects[place].get("status", {}), body["status"])}
        if method == "patch":
            self.version += 1
            metadata = {"uid": f"uid-{self.version}", **body["metadata"], "resourceVersion": str(self.version)}
            self.objects[place] = deepcopy({**body, "metadata": metadata})
        return deepcopy(self.objects.get(place, {}))


class Nobody:
    """Stands in for those who ask pods and fetch events."""

    def ask(self, *_: Any) -> None: ...

    def look_at(self, *_: Any) -> None: ...


class IdleError(Exception):
    """Nothing is left to do now."""


class Draining(Queue[Key]):
    """Ends the worker that finds it empty."""

    async def get(self) -> Key:
        if not len(self):
            raise IdleError
        return await super().get()


class Bench:
    """The operator without watches: it knows the given objects, and of everything else what it wrote itself."""

    def __init__(self, *objects: Object, planner: Planner = plan_dataset) -> None:
        self.store = Store(*objects)
        queue, nobody = Draining(), Nobody()
        self.intake = Intake(Cache(), queue)
        recorder, planners = Recorder(self.store, "test"), {"Dataset": planner}
        self.reconciler = Reconciler(
            self.store, self.intake, recorder, nobody, nobody, planners, Settings(), lambda: NOW
        )
        self._worker = Worker(queue, self.reconciler)
        for obj in objects:
            self.intake.present(obj)

    async def work(self) -> Sent:
        """Until nothing is left to do; the requests of that time."""
        begun = len(self.store.sent)
        with pytest.raises(IdleError):
            await self._worker.run(workers=1)
        return self.store.sent[begun:]


async def test_what_was_written_is_known_before_any_watch_tells_and_old_news_do_not_undo_it() -> None:
    before = dataset("d", spec=SPEC)
    bench = Bench(before)
    assert [path.split("/ns/")[1] for _, path, _ in await bench.work()][-1] == "datasets/d/status"
    bench.intake.wake_all()
    assert await bench.work() == []
    bench.intake.present(before)  # a watch that is late
    bench.intake.wake_all()
    assert await bench.work() == []


LABELS = labels_for(Key("Dataset", "ns", "d"), "test")
METADATA = {"namespace": "ns", "name": "c", "uid": "uid-seen", "resourceVersion": "1", "labels": LABELS}
CHILD = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": METADATA}


async def test_a_deletion_that_is_refused_is_not_taken_for_done() -> None:
    bench = Bench(dataset("d"), planner=lambda *_: Plan({}, delete=(CHILD,)))
    bench.store.refusals["delete"] = ConflictError(409, "Conflict", "the object has been modified")
    with pytest.raises(ConflictError):
        await bench.reconciler.reconcile(Key("Dataset", "ns", "d"))
    bench.store.refusals["delete"] = NotFoundError(404, "NotFound", "is gone")
    assert await bench.reconciler.reconcile(Key("Dataset", "ns", "d")) is None


async def test_a_child_is_deleted_only_if_it_is_the_one_that_was_seen() -> None:
    bench = Bench(dataset("d"), planner=lambda *_: Plan({}, delete=(CHILD,)))
    _, (method, path, body) = await bench.work()
    assert (method, path.split("/ns/")[1]) == ("delete", "configmaps/c")
    assert body["preconditions"] == {"uid": "uid-seen"}


async def test_nothing_is_deleted_for_a_resource_that_is_newer_than_is_known() -> None:
    """A new leader's watches may lag: another one has made this child for a spec of which nothing was told yet."""

    def planner(resource: Object, *_: Any) -> Plan:
        return Plan({}, delete=() if resource["spec"] else (CHILD,))

    bench = Bench(dataset("d", 1), planner=planner)
    bench.store.objects["datasets/d"] = dataset("d", 2, spec=SPEC)
    assert [method for method, *_ in await bench.work()] == ["get"]
    assert bench.intake.cache.get(Key("Dataset", "ns", "d")) == dataset("d", 2, spec=SPEC)


@pytest.mark.parametrize("by", ["this leader, whose status was lost", "the leader before"])
async def test_nothing_is_made_again_for_a_resource_that_was_deleted_before_its_first_status(by: str) -> None:
    """Of its child the end was told, of its own not yet."""
    bench, key = Bench(dataset("d", spec=SPEC)), Key("Dataset", "ns", "d")
    if by == "the leader before":
        bench.reconciler.take_over()
    else:
        bench.store.refusals["status"] = UnavailableError(500, "InternalError", "injected")
        with pytest.raises(UnavailableError):
            await bench.reconciler.reconcile(key)
        (made,) = (obj for obj in bench.store.objects.values() if obj["kind"] == "Job")
        bench.intake.deleted(made)
    bench.store.objects.clear()
    begun = len(bench.store.sent)
    await bench.reconciler.reconcile(key)
    assert [(method, path.rsplit("/", 1)[-1]) for method, path, _ in bench.store.sent[begun:]] == [("get", "datasets")]
    assert bench.intake.cache.get(key) is None


@pytest.mark.parametrize("now", ["as it is known", "newer", "gone", "new"])
async def test_what_cannot_be_taken_back_waits_until_a_resource_it_relies_on_is_as_it_is_known(now: str) -> None:
    """Of one that has no status yet, too: the look at what is new is spared, not this one."""
    other = Key("Dataset", "ns", "other")

    def planner(resource: Object, *_: Any) -> Plan:
        is_other = key_of(resource) == other
        return Plan({"phase": "Ready"}) if is_other else Plan({"phase": "Failed"}, relies_on=(other,))

    known = [] if now == "new" else [dataset("other", 2)]
    bench = Bench(dataset("d"), *known, planner=planner)
    at_last = None if now == "gone" else dataset("other", 2 if now == "as it is known" else 3)
    bench.store.objects |= {"datasets/other": at_last} if at_last else {}
    if now == "gone":
        del bench.store.objects["datasets/other"]
    wait = await bench.reconciler.reconcile(Key("Dataset", "ns", "d"))
    assert wait == (None if now == "as it is known" else ANOTHER_LOOK)
    written = bench.store.objects["datasets/d"].get("status")
    assert written == ({"phase": "Failed"} if now == "as it is known" else None)
    assert bench.intake.cache.get(other) == at_last


@pytest.mark.parametrize("gone", [True, False])
async def test_a_status_that_finds_nothing_is_lost_only_if_the_resource_is_gone(gone: bool) -> None:
    """Its kind may not be known for a while."""
    bench, key = Bench(dataset("d"), planner=lambda *_: Plan({"phase": "Ready"})), Key("Dataset", "ns", "d")
    bench.store.refusals["status"] = NotFoundError(404, "NotFound", "the server could not find the requested resource")
    if gone:
        bench.store.objects.clear()
        assert await bench.reconciler.reconcile(key) is None
    else:
        with pytest.raises(NotFoundError):
            await bench.reconciler.reconcile(key)
    assert (bench.intake.cache.get(key) is None) == gone


async def test_a_new_resource_costs_no_look_at_what_it_is() -> None:
    """If it was made after this leader took over, whoever told of it when."""
    made = dataset("d", spec=SPEC)
    made["metadata"]["creationTimestamp"] = timestamp(NOW + timedelta(seconds=1))
    bench = Bench(made)
    bench.reconciler.take_over()
    sent = await bench.work()
    assert [method for method, *_ in sent] == ["patch", "patch"]  # its child and its status


async def test_a_takeover_applies_nothing_again_that_is_as_planned() -> None:
    child = {**CHILD, "metadata": {"namespace": "ns", "name": "c", "labels": LABELS}}
    bench, key = (
        Bench(dataset("d"), planner=lambda *_: Plan({"phase": "Ready"}, apply=(child,))),
        Key("Dataset", "ns", "d"),
    )
    await bench.work()
    bench.reconciler.heal(key)  # as a standby's resync does
    bench.reconciler.take_over()
    bench.intake.wake_all()
    assert await bench.work() == []
    bench.reconciler.heal(key)
    bench.intake.wake_all()
    assert [method for method, *_ in await bench.work()] == ["get", "patch"]


async def test_a_child_that_is_ending_is_deleted_no_more() -> None:
    ending = {**CHILD, "metadata": {**METADATA, "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    bench = Bench(dataset("d"), planner=lambda *_: Plan({}, delete=(ending,)))
    assert await bench.work() == []


async def test_while_much_is_written_progress_waits_with_its_events_and_results_do_not() -> None:
    """Twenty-five resources get their first status at once, then say that they run, then that they are done."""
    names = [f"d{number:02}" for number in range(25)]
    phase = "Starting"

    def planner(*_: Any) -> Plan:
        done = phase == "Done"
        reason = (Reason.READY if done else Reason.BUILDING).value
        conditions = [{"type": "Ready", "status": "True" if done else "False", "reason": reason, "message": phase}]
        event = Event("Normal", Reason.READY, phase)
        return Plan({"phase": phase, "conditions": conditions}, events=(event,))

    bench = Bench(*(dataset(name) for name in names), planner=planner)
    sent = []
    for phase in ("Starting", "Running", "Done"):  # noqa: B007 - read by the planner
        bench.intake.wake_all()
        sent.append([path.rsplit("/", 1)[-1] for _, path, _ in await bench.work()])
    first, second, third = sent
    assert first.count("status") == first.count("events") == 25
    assert second == []
    assert third.count("status") == third.count("events") == 25


async def test_writes_wait_when_too_many_were_made_and_a_lease_does_not() -> None:
    store = Store()
    store.pace = pace(1)
    child = {"kind": "ConfigMap", "metadata": {"namespace": "ns", "name": "c"}}
    for _ in range(2):  # two seconds' worth at once
        await store.apply(child)
    one_more = asyncio.create_task(store.apply(child))
    await asyncio.sleep(0.02)
    assert not one_more.done()
    await store.replace_lease("/apis/coordination.k8s.io/v1/namespaces/ns/leases/l", {"metadata": {}})
    assert not one_more.done()
    assert key_of(await asyncio.wait_for(one_more, 5)).name == "c"


def series() -> set[tuple[str, ...]]:
    """Name and labels of all that the process's metrics tell."""
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return {(sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))) for sample in samples}


async def test_work_on_ten_resources_leaves_the_series_of_one() -> None:
    await Bench(dataset("d", spec=SPEC)).work()
    known = series()
    await Bench(*(dataset(f"d{number}", spec=SPEC) for number in range(10))).work()
    assert series() == known


async def test_what_pods_told_before_a_pause_is_forgotten() -> None:
    """Figures of an hour ago would decide as soon as the pause ends."""
    paused = dataset("d")
    paused["metadata"]["annotations"] = {PAUSED: "true"}
    bench = Bench(paused)
    bench.intake.present(pod("p", "d"))
    bench.intake.cache.set_reading("ns", "p", {"requests": 1})
    await bench.work()
    assert bench.intake.cache.reading("ns", "p") is None
