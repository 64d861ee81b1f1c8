"""A resource, its children and its neighbours, changed as the API server and the job controller would change them."""

from collections.abc import Callable, Collection
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.conditions import timestamp
from modelyard.contract.document import Document
from modelyard.plan.observe import Observed, Told
from modelyard.plan.plan import Event, Object, Plan
from modelyard.plan.settings import Settings
from tests.unit.plan import promises
from tests.unit.plan.builders import NOW, Built, observed

Planner = Callable[[Object, Observed, datetime, Settings], Plan]
STATUS = "status"  # among what is lost: the write of the status


class Simulation:
    """`events` collects all that was told; `last` is the last plan."""

    def __init__(self, planner: Planner, resource: Built, *related: Object) -> None:
        self.planner = planner
        self.resource = resource
        self.related = list(related)
        self.children: dict[tuple[str, str], Built] = {}
        self.readings: dict[str, dict[str, Any]] = {}
        self.told_of: dict[str, tuple[Told, ...]] = {}  # events by uid
        self.now = NOW
        self.settings = Settings()
        self.events: list[Event] = []
        self.last: Plan | None = None
        self.made: list[str] = []  # names of all Jobs and other children, in the order in which they were

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.resource.get("status", {})
        return found

    def condition(self, type_: str) -> dict[str, Any]:
        return next(dict(c) for c in self.status["conditions"] if c["type"] == type_)

    def told(self, type_: str = "Ready") -> tuple[str, str]:
        condition = self.condition(type_)
        return condition["status"], condition["reason"]

    def observed(self) -> Observed:
        return observed(*self.children.values(), related=tuple(self.related), readings=self.readings, told=self.told_of)

    def plan(self) -> Plan:
        plan = self.planner(self.resource, self.observed(), self.now, self.settings)
        promises.hold(self.resource, plan)
        return plan

    def step(self, losing: Collection[str] = ()) -> Plan:
        """One reconcile; writes of the children named in `losing`, or of the status, do not arrive."""
        plan = self.plan()
        for child in plan.apply:
            if child["metadata"]["name"] not in losing:
                self.apply(child)
        for unwanted in plan.delete:
            self.delete(unwanted["kind"], unwanted["metadata"]["name"])
        if STATUS not in losing:
            self.resource = self.resource.holding(plan.status)
            self.events += plan.events
        self.last = plan
        return plan

    def interrupted(self, writes: int) -> None:
        """A reconcile that ends after so many children and deletions, at the latest before the status."""
        plan = self.plan()
        for child in plan.apply[:writes]:
            self.apply(child)
        for unwanted in plan.delete[: max(0, writes - len(plan.apply))]:
            self.delete(unwanted["kind"], unwanted["metadata"]["name"])

    def settle(self, most: int = 10) -> Plan:
        """Reconcile until nothing changes any more."""
        for _ in range(most):
            before = (deepcopy(dict(self.resource)), deepcopy(self.children))
            plan = self.step()
            if before == (dict(self.resource), self.children):
                return plan
        raise AssertionError(f"still changing after {most} steps: {self.status}")

    def apply(self, child: dict[str, Any]) -> None:
        key = (child["kind"], child["metadata"]["name"])
        present = self.children.get(key)
        if present and child["kind"] in ("Job", "ConfigMap"):
            assert present.get("spec") == child.get("spec"), f"{key} is immutable"
            assert present.get("data") == child.get("data"), f"{key} is immutable"
        if present:
            return
        self.made.append(key[1])
        new = Built(deepcopy(child))
        self.children[key] = new.metadata(uid=f"uid-{len(self.made)}", creationTimestamp=timestamp(self.now))

    def delete(self, kind: str, name: str) -> None:
        """With what it owns: a Job's pods go with it."""
        gone = self.children.pop((kind, name), None)
        if gone is not None and kind == "Job":
            uid = gone["metadata"]["uid"]
            for key, child in list(self.children.items()):
                if child["metadata"]["labels"].get("batch.kubernetes.io/controller-uid") == uid:
                    del self.children[key]

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def jobs(self) -> list[str]:
        return sorted(name for kind, name in self.children if kind == "Job")

    def pod(self, change: Callable[[Built], Built] = Built.running) -> Built:
        """The newest Job's pod, made if need be, after a change of its status."""
        job = max((c for (k, _), c in self.children.items() if k == "Job"), key=lambda j: int(j["metadata"]["uid"][4:]))
        name = f"{job['metadata']['name']}-0"
        template = job["spec"]["template"]
        pod = self.children.get(("Pod", name)) or Built(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": "ns",
                    "uid": f"uid-of-{name}",
                    "creationTimestamp": timestamp(self.now),
                    "labels": template["metadata"]["labels"],
                },
                "spec": template["spec"],
                "status": {"phase": "Pending"},
            }
        ).in_job(job)
        self.children["Pod", name] = change(pod)
        return self.children["Pod", name]

    def finish(self, result: Document, exit_code: int = 0) -> None:
        """The pod ends now with this result."""
        self.pod(lambda p: p.ended(exit_code, result.canonical(), at=timestamp(self.now)))
