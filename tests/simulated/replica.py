"""One replica: the operator's cache, intake and reconciler, told by watches of which each is behind as it likes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import cast

from modelyard.contract.progress import Routing
from modelyard.plan.kinds import PLANNERS
from modelyard.plan.plan import Key, Object
from modelyard.plan.results import job_ended_at
from modelyard.plan.settings import Settings
from modelyard.runtime.budget import Budget, OverBudgetError
from modelyard.runtime.cache import Cache
from modelyard.runtime.coalescing import Coalescing
from modelyard.runtime.errors import ApiError
from modelyard.runtime.events import Recorder
from modelyard.runtime.intake import Intake
from modelyard.runtime.listing import list_into
from modelyard.runtime.queue import Queue, backoff
from modelyard.runtime.reconcile import PlanningError, Reconciler
from modelyard.runtime.resources import WATCHED
from tests.simulated.client import FaultyClient
from tests.simulated.nodes import Nodes
from tests.simulated.server import Server

KINDS = tuple(resource.kind for resource in WATCHED)


class Due:
    """When which resource is to be looked at, and how often it failed in a row. In the queue's place."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.at: dict[Key, float] = {}
        self.failures: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        self.add_after(key, 0.0)

    def add_after(self, key: Key, seconds: float) -> None:
        when = self._clock() + seconds
        self.at[key] = min(when, self.at.get(key, when))

    def now(self) -> list[Key]:
        return sorted((k for k, when in self.at.items() if when <= self._clock()), key=lambda k: (k.kind, k.name))


class Replica:
    """`time` is what the planners go by, `clock` the same in seconds."""

    def __init__(
        self, server: Server, client: FaultyClient, time: Callable[[], datetime], clock: Callable[[], float]
    ) -> None:
        self._server, self._client, self._clock = server, client, clock
        self.due = Due(clock)
        self.intake = Intake(Cache(), cast(Queue[Key], self.due))
        self.polled: dict[Key, Mapping[str, Routing | None]] = {}  # by owner: pods and what they are to be told
        self.inspected: dict[Key, tuple[Object, ...]] = {}  # by owner
        recorder = Recorder(client, "replica", clock)
        self._reconciler = Reconciler(client, self.intake, recorder, self, self, PLANNERS, Settings(), time)
        self._reconciler._budget, self._reconciler._coalescing = Budget(clock), Coalescing(clock)
        self.seen = dict.fromkeys(KINDS, 0)  # how much of each kind's log was told
        self.hung: dict[str, float] = {}  # until when a kind's watch tells nothing

    def ask(self, key: Key, pods: tuple[str, ...], routing: Mapping[str, Routing]) -> None:
        self.polled[key] = {pod: routing.get(pod) for pod in (*pods, *routing)}

    def look_at(self, owner: Key, objects: tuple[Object, ...]) -> None:
        self.inspected[owner] = objects

    async def relist(self, kind: str) -> None:
        resource = next(r for r in WATCHED if r.kind == kind)
        self.seen[kind] = len(self._server.log[kind])
        await list_into(self.intake, self._client, resource, None)

    def take_over(self) -> None:
        self._reconciler.take_over()
        self.intake.wake_all()

    def untold(self) -> list[str]:
        """Kinds of which something has changed."""
        now = self._clock()
        return [
            kind for kind in KINDS if self.seen[kind] < len(self._server.log[kind]) and self.hung.get(kind, now) <= now
        ]

    def tell(self, kind: str) -> None:
        """The next change."""
        change, obj = self._server.log[kind][self.seen[kind]]
        self.seen[kind] += 1
        (self.intake.deleted if change == "DELETED" else self.intake.present)(obj)

    async def reconcile(self, key: Key, random: Random) -> None:
        """As a worker does. Raises DiedError, and what is an error of ours."""
        del self.due.at[key]
        failures = self.due.failures.get(key, 0)
        try:
            again = await self._reconciler.reconcile(key, failures)
        except OverBudgetError as over:
            self.due.add_after(key, over.wait)
        except PlanningError:
            raise
        except ApiError:
            self.due.failures[key] = failures + 1
            self.due.add_after(key, backoff(failures + 1, random.random()))
        else:
            self.due.failures.pop(key, None)
            if again is not None:
                self.due.add_after(key, max(0.1, again))

    def poll(self, nodes: Nodes) -> None:
        """Asks every pod, and tells servers their routing."""
        for owner, pods in list(self.polled.items()):
            for name, routing in pods.items():
                pod = Key("Pod", owner.namespace, name)
                reading = nodes.reading(pod)
                if reading and routing:
                    nodes.routings[pod] = routing
                if reading and self.intake.cache.set_reading(owner.namespace, name, reading):
                    self.due.add(owner)

    async def inspect(self) -> None:
        """Reads the pods of Jobs that have ended."""
        for owner, objects in list(self.inspected.items()):
            for uid in [str(o["metadata"]["uid"]) for o in objects if o["kind"] == "Job" and job_ended_at(o)]:
                try:
                    pods = await self._client.pods_of_job(owner.namespace, uid)
                except ApiError:
                    continue
                for pod in pods:
                    self.intake.cache.put(pod)
                if self.intake.cache.set_pods_read(uid):
                    self.due.add(owner)
