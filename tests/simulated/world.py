"""Users, faults and deaths of the leader in a world of one thread; at the end all is to be as if nothing had failed."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from modelyard.api.conditions import timestamp
from modelyard.contract.document import Document
from modelyard.contract.tasks import Task
from modelyard.plan.plan import Key, Object
from modelyard.runtime.resources import CHILDREN, OWN_KINDS
from tests.cluster.mock_kubelet.answers import answer
from tests.simulated.client import DiedError, FaultyClient
from tests.simulated.nodes import Nodes
from tests.simulated.replica import KINDS, Replica
from tests.simulated.server import Server
from tests.soak.creations import Creations
from tests.soak.state import checks, differences, orphans, outdated, settled, state
from tests.soak.wishes import KINDS as OWN_IN_ORDER
from tests.soak.wishes import Place, Wish, Wishes, document

NAMESPACE = "ns"
_CHILDREN = frozenset(resource.kind for resource in CHILDREN)
_BEGINNING = datetime(2026, 1, 1, 12, tzinfo=UTC)
_PATIENCE = 30_000  # steps


class World:
    """`faulty` worlds lose requests, hang watches and kill leaders until the end."""

    def __init__(
        self,
        seed: int,
        groups: int,
        *,
        faulty: bool,
        written: Callable[[str, Place, Wish], dict[str, Any]] = document,
        answers: Callable[[Task], Document] = answer,
    ) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable, no secret
        self._seconds = 0.0
        self._faulty = faulty
        self.server = Server(lambda: timestamp(self._now()))
        self.nodes = Nodes(self.server, lambda: timestamp(self._now()), lambda: self._seconds, answers)
        self._written = written
        self._client = FaultyClient(self.server, self._random, self._meanwhile)
        self._client.faulty = faulty
        self.wishes = Wishes(groups, seed)
        self.creations = Creations()
        self._told = dict.fromkeys(("Dataset", *_CHILDREN), 0)
        self.replicas: list[Replica] = []  # the first one leads

    async def life(self, acts: int) -> None:
        """From the first wishes to the end."""
        await self.begin()
        for place in self.wishes.first():
            self._apply(place)
        for _ in range(acts):
            act, place = self.wishes.next()
            (self._apply if act == "apply" else self._delete)(place)
            for _ in range(self._random.randrange(40)):
                await self.step()
        await self.finish()

    async def begin(self) -> None:
        for _ in range(2):
            await self._start()
        self.replicas[0].take_over()

    async def finish(self) -> None:
        """The last spec of every kind, each once what it builds on is there, then peace. Raises AssertionError."""
        for kind in OWN_IN_ORDER:
            kept, gone = self.wishes.last(kind)
            for place in gone:
                self._delete(place)
            if kind == "DriftMonitor":
                await self._checks_end()
            for place in kept:
                self._apply(place)
            await self.rest(kept)
        number = 0
        while late := outdated(self.objects()):
            number += 1
            for run in (f"again {number}", "last"):
                await self._checks_end()
                for place in late:
                    self.wishes.present[place].run = run
                    self._apply(place)
                await self.rest(late)
            await self._checks_end()
        await self._calm()

    async def _checks_end(self) -> None:
        """Of two checks that end in the same second it is not said which counts."""
        end = self._seconds + 300
        while checks(self.children()) and self._seconds < end:
            await self.step()
        end = self._seconds + 3
        while self._seconds < end:
            await self.step()

    async def _calm(self) -> None:
        """Nothing fails any more."""
        self._faulty = self._client.faulty = False
        for replica in self.replicas:
            replica.hung.clear()
        await self.rest(self.wishes.present)
        for _ in range(3000):  # what drains goes later
            await self.step()

    async def rest(self, places: Iterable[Place]) -> None:
        wanted, restless = list(places), ["?"]
        for number in range(_PATIENCE):
            if number % 20 == 0 and not (restless := self.restless(wanted)):
                return
            await self.step()
        raise AssertionError(f"does not come to rest: {restless[:5]}")

    def restless(self, wanted: list[Place]) -> list[str]:
        return settled(self.objects(), wanted)

    def objects(self) -> list[dict[str, Any]]:
        return [dict(obj) for obj in self.server.objects.values() if obj["kind"] in OWN_KINDS]

    def children(self) -> list[Object]:
        return [obj for obj in self.server.objects.values() if obj["kind"] in _CHILDREN]

    async def step(self) -> None:
        """One thing happens, or time passes."""
        leader = self.replicas[0]
        if self._faulty and self._random.random() < 0.0005:
            await self._die()
            return
        if self._faulty and self._random.random() < 0.01:
            kind, replica = self._random.choice(KINDS), self._random.choice(self.replicas)
            replica.hung[kind] = self._seconds + self._random.choice((5, 75))
        due = leader.due.now()
        chance = self._random.random()
        try:
            if chance < 0.4 and due:
                await leader.reconcile(self._random.choice(due), self._random)
            elif chance < 0.45:
                leader.poll(self.nodes)
                await leader.inspect()
            elif self._faulty and chance < 0.452:
                await self._random.choice(self.replicas).relist(self._random.choice(KINDS))
            elif not self._happens() and not due:
                self._seconds += self._random.choice((0.1, 0.5, 1.0, 3.0))
        except DiedError:
            await self._die()
        self._look()

    def _meanwhile(self) -> None:
        """Something happens while a request is on its way."""
        self._seconds += 0.005
        while self._random.random() < 0.3:
            self._happens()

    def _happens(self) -> bool:
        """One change is told, one Job or Deployment goes on, or one piece of garbage is collected; False if none is."""
        things: list[Callable[[], None]] = []
        for replica in self.replicas:
            things += [partial(replica.tell, kind) for kind in replica.untold()]
        things += [partial(self.nodes.step, key) for key in self.nodes.due()]
        things += [partial(self.server.delete, key) for key in self.server.garbage()]
        if things:
            self._random.choice(things)()
        else:
            self._seconds += 0.02
        return bool(things)

    async def _die(self) -> None:
        """The standby takes over when the lease has run out; another replica stands by."""
        self.replicas.pop(0)
        for _ in range(self._random.randrange(100)):
            self._happens()
        self._seconds += 15
        self.replicas[0].take_over()
        await self._start()

    async def _start(self) -> None:
        """Its lists are of different ages."""
        replica = Replica(self.server, self._client, self._now, lambda: self._seconds)
        for kind in KINDS:
            await replica.relist(kind)
            for _ in range(self._random.randrange(3)):
                self._happens()
        self.replicas.append(replica)

    def _now(self) -> datetime:
        return _BEGINNING + timedelta(seconds=self._seconds)

    def _look(self) -> None:
        for kind, told in self._told.items():
            for _, obj in self.server.log[kind][told:]:
                self.creations.tell(obj)
            self._told[kind] = len(self.server.log[kind])

    def _apply(self, place: Place) -> None:
        self.server.apply(self._written(NAMESPACE, place, self.wishes.present[place]))

    def _delete(self, place: Place) -> None:
        key = Key(place.kind, NAMESPACE, place.name)
        if key in self.server.objects:
            self.server.delete(key)


async def lived(seed: int, groups: int, acts: int) -> list[str]:
    """What is not as it would be had nothing failed, in words."""
    ours, other = World(seed, groups, faulty=True), World(seed + 1, groups, faulty=False)
    await ours.life(acts)
    await other.begin()
    await other.finish()
    mine, theirs = (state(w.objects(), w.children()) for w in (ours, other))
    return [
        *differences(mine, theirs),
        *orphans(ours.objects(), ours.children()),
        *ours.creations.duplicates(),
    ]
