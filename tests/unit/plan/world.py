"""A world that carries out plans, as far as planners see it: children appear, servers get ready, time passes."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from modelyard.plan.labels import owner_of
from modelyard.plan.observe import Observed, Told
from modelyard.plan.plan import Event, Object, Plan
from modelyard.plan.settings import Settings
from modelyard.runtime.trim import trimmed
from tests.unit.plan import promises
from tests.unit.plan.builders import NOW, Built, jobs_of, pod

Planner = Callable[[Object, Observed, datetime, Settings], Plan]


class World:
    """`cuts` are crashes to come: of the next plans only so many writes are made, children, then deletions."""

    def __init__(self, planner: Planner, resource: Built, *related: Built) -> None:
        self.planner = planner
        self.resource = resource
        self.related = {(r["kind"], r["metadata"]["name"]): r for r in related}
        self.children: dict[tuple[str, str], Built] = {}
        self.readings: dict[str, dict[str, Any]] = {}
        self.told: dict[str, tuple[Told, ...]] = {}  # events by uid
        self.now = NOW
        self.settings = Settings()
        self.events: list[Event] = []
        self.cuts: Iterator[int] = iter(())

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.resource.get("status", {})
        return found

    def condition(self, type_: str) -> tuple[str, str]:
        found = next(c for c in self.status["conditions"] if c["type"] == type_)
        return found["status"], found["reason"]

    def message(self, type_: str = "Ready") -> str:
        return str(next(c for c in self.status["conditions"] if c["type"] == type_)["message"])

    def names(self, kind: str) -> list[str]:
        return sorted(name for k, name in self.children if k == kind)

    def child(self, kind: str, name: str) -> Built:
        return self.children[kind, name]

    def set(self, *related: Built) -> None:
        for r in related:
            self.related[r["kind"], r["metadata"]["name"]] = r

    def observed(self) -> Observed:
        """As the operator's cache has it."""
        kinds = {kind for kind, _ in self.related}
        related = {kind: tuple(trimmed(r) for (k, _), r in self.related.items() if k == kind) for kind in kinds}
        children = tuple(trimmed(c) for c in self.children.values())
        return Observed(children, related, self.readings, self.told, jobs_of(children))

    def look(self) -> Plan:
        """Plan, without carrying anything out."""
        plan = self.planner(self.resource, self.observed(), self.now, self.settings)
        promises.hold(self.resource, plan)
        return plan

    def step(self, *, lose_status: bool = False) -> Plan:
        """Plan once and carry it out."""
        plan = self.look()
        for child in plan.apply:
            self.apply(Built(child))
        for unwanted in plan.delete:
            key = unwanted["kind"], unwanted["metadata"]["name"]
            assert key in self.children, f"{key} is deleted and was not there"
            self.remove(*key)
        if not lose_status:
            self.resource = self.resource.holding(plan.status)
            self.events += plan.events
        return plan

    def crash(self, writes: int) -> None:
        """Plan once; the process dies after so many writes, at the latest before the status."""
        plan = self.look()
        for child in plan.apply[:writes]:
            self.apply(Built(child))
        for unwanted in plan.delete[: max(0, writes - len(plan.apply))]:
            self.remove(unwanted["kind"], unwanted["metadata"]["name"])

    def run(self) -> Plan:
        """Plan until nothing is left to do at this moment."""
        for writes in islice(self.cuts, 2):
            self.crash(writes)
        for _ in range(10):
            before = (self.status, dict(self.children), dict(self.related))
            plan = self.step()
            if before == (self.status, self.children, self.related):
                assert plan.events == ()
                return plan
        raise AssertionError("the plans do not come to rest")

    def apply(self, child: Built) -> None:
        key = child["kind"], child["metadata"]["name"]
        old = self.children.get(key) or self.related.get(key)
        new = child.metadata(uid=f"uid-{key[0]}-{key[1]}", generation=1)
        new = new.holding(old["status"]) if old and "status" in old else new
        if owner_of(child):
            self.children[key] = new
        else:
            self.related[key] = new

    def remove(self, kind: str, name: str) -> None:
        """With the pods, as the garbage collector does."""
        self.children.pop((kind, name))
        for key, owned in list(self.children.items()):
            if key[0] == "Pod" and owned["metadata"].get("of") == (kind, name):
                del self.children[key]
                self.readings.pop(key[1], None)

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def servers_get_ready(self, revisions: Iterable[str] | None = None, ready: int | None = None) -> None:
        """The pods of these revisions, of all where none are named; `ready` of them where not all."""
        for (kind, name), deployment in list(self.children.items()):
            revision = deployment["metadata"]["labels"].get("modelyard.dev/revision")
            if kind != "Deployment" or (revisions is not None and revision not in revisions):
                continue
            wanted = deployment["spec"]["replicas"]
            many = wanted if ready is None else ready
            counts = {"replicas": wanted, "updatedReplicas": wanted, "readyReplicas": many, "observedGeneration": 1}
            self.children[kind, name] = deployment.status(**counts)
            for i in range(wanted):
                self.server_pod(name, i, Built(deployment["spec"]["template"]), ready=i < many)

    def server_pod(self, deployment: str, index: int, template: Built, *, ready: bool) -> str:
        name = f"{deployment}-{index}"
        conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
        made = (
            pod(name)
            .spec(restartPolicy="Always")
            .running()
            .metadata(labels=template["metadata"]["labels"], of=("Deployment", deployment))
        )
        self.children["Pod", name] = made.status(conditions=conditions)
        if ready:
            self.readings.setdefault(name, {"parity": {"rows": 3, "maxDifference": 0.0}})
        return name

    def servers_are_told(self, plan: Plan, **figures: Any) -> None:
        """Every pod with a routing reports its epoch and these figures; `requests`, `errors`, `disagreed`."""
        for name, told in plan.routing.items():
            count = figures.get("requests", 0)
            variant = {"requests": count, "errors": figures.get("errors", 0)}
            self.readings[name] = {
                "epoch": told.epoch,
                "stable": {"requests": count},
                "candidate": variant,
                "compared": count,
                "disagreed": figures.get("disagreed", 0),
            }
