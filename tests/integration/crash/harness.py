"""Runs scenarios, each run in a namespace of its own, many at once on one control plane, and compares their ends."""

import asyncio
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from modelyard.contract.progress import Routing, ServingStats
from modelyard.runtime.client import Client
from tests.cluster.controlplane import ControlPlane
from tests.cluster.mock_kubelet.connection import Connection
from tests.cluster.mock_kubelet.kubelet import MockKubelet
from tests.cluster.mock_kubelet.life import Life, Seen
from tests.integration.crash.creations import Creations
from tests.integration.crash.incarnations import Incarnations
from tests.integration.crash.outcome import difference, outcome
from tests.integration.crash.person import Person
from tests.integration.crash.process import Point
from tests.integration.crash.scenario import Scenario
from tests.integration.runtime.conftest import install

AT_ONCE = 3 * (os.cpu_count() or 1)  # runs; each is an operator with its watches
SAMPLE = 3
QUIET = 1.5  # seconds without a write after which an operator is at rest
WITHIN = 60.0  # seconds for a run to come to the end that is expected


@dataclass(frozen=True)
class End:
    """How a run ended."""

    writes: int
    kills: int
    state: list[str]
    made: Counter[str]
    twice: list[str]


@dataclass
class Verdict:
    """Of all runs of a scenario. `wrong` says, per point, in what its end differs from the undisturbed one."""

    writes: int  # of the undisturbed run
    points: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.writes} writes, killed at {len(self.points)} points, {self.seconds:.0f} s"


def chosen(scenario: Scenario, writes: int, everywhere: bool) -> list[Point]:
    """All points, or few that are the same in every run of the tests."""
    points = [Point(write, sent) for write in range(1, writes + 1) for sent in (True, False)]
    return points if everywhere else random.Random(scenario.name).sample(points, SAMPLE)  # noqa: S311 - a sample


class Harness:
    """Scripts go by namespace: one mock kubelet plays the pods of all runs."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._scenarios: dict[str, Scenario] = {}
        self._creations = Creations()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._numbers = itertools.count(1)
        self.kubelet = MockKubelet(plane.kubeconfig, script=self._script, traffic=self._traffic)

    def _script(self, seen: Seen) -> Life:
        return self._scenarios[seen.namespace].script(seen)

    def _traffic(self, seen: Seen, routing: Routing) -> ServingStats:
        return self._scenarios[seen.namespace].traffic(seen, routing)

    async def prepare(self) -> None:
        """Installs our CRDs."""
        client = await Client.connect()
        try:
            await install(Person(client, "default"))
        finally:
            await client.close()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        async with Connection.opened(self._plane.kubeconfig) as connection:
            watch = asyncio.create_task(self._creations.watch(connection))
            try:
                yield
                if watch.done():
                    watch.result()
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)

    async def examine(self, scenario: Scenario, *, everywhere: bool) -> Verdict:
        """Raises ExceptionGroup when the undisturbed run does not come to its end."""
        begun = time.monotonic()
        reference = await self._run(scenario, (), None)
        verdict = Verdict(reference.writes)
        if reference.twice:
            verdict.wrong["undisturbed"] = f"created twice: {reference.twice}"
        runs: list[Coroutine[Any, Any, object]] = [
            self._at(scenario, reference, verdict, p) for p in chosen(scenario, reference.writes, everywhere)
        ]
        if everywhere:
            again_and_again = itertools.repeat(Point(1, sent=True))
            runs.append(self._compare(scenario, reference, verdict, "after each write", again_and_again))
        await asyncio.gather(*runs)
        verdict.seconds = time.monotonic() - begun
        return verdict

    async def _at(self, scenario: Scenario, reference: End, verdict: Verdict, point: Point) -> None:
        """Where a run needs fewer writes than the undisturbed one, which happens by timing, at an earlier point."""
        while not await self._compare(scenario, reference, verdict, str(point), (point,)):
            point = Point(max(1, point.write // 2), point.sent)

    async def _compare(
        self, scenario: Scenario, reference: End, verdict: Verdict, name: str, points: Iterable[Point]
    ) -> bool:
        """False where the operator was not killed."""
        try:
            end = await self._run(scenario, points, reference)
        except ExceptionGroup as error:
            verdict.wrong[name] = "; ".join(repr(cause)[:2000] for cause in error.exceptions)
            return True
        if wrong := difference(reference.state, end.state):
            verdict.wrong[name] = wrong
        elif end.made != reference.made:
            verdict.wrong[name] = f"created {end.made - reference.made}, not created {reference.made - end.made}"
        elif end.twice:
            verdict.wrong[name] = f"created twice: {end.twice}"
        verdict.points += [name] if end.kills else []
        return end.kills > 0

    async def _run(self, scenario: Scenario, points: Iterable[Point], expected: End | None) -> End:
        async with self._slots:
            namespace = f"crash-{next(self._numbers)}-{random.randrange(2**20):05x}"  # noqa: S311 - a name
            self._scenarios[namespace] = scenario
            client = await Client.connect()
            try:
                person = Person(client, namespace)
                await person.call("post", "/api/v1/namespaces", body={"metadata": {"name": namespace}})
                return await self._lived(scenario, person, points, expected)
            finally:
                await client.close()

    async def _lived(self, scenario: Scenario, person: Person, points: Iterable[Point], expected: End | None) -> End:
        operator = Incarnations(self._plane.kubeconfig, person.namespace, points)
        async with operator.running():
            await scenario.story(person)
            state = await self._rest(person, operator, expected)
        made, twice = self._creations.of(person.namespace), self._creations.twice(person.namespace)
        return End(operator.writes, operator.kills, state, made, twice)

    async def _rest(self, person: Person, operator: Incarnations, expected: End | None) -> list[str]:
        """The state once no write has been made for a while, and, unless it takes too long, as expected."""
        deadline = time.monotonic() + WITHIN
        while True:
            await self._quiet(operator, deadline)
            state = await outcome(person)
            if expected is None or state == expected.state or time.monotonic() > deadline:
                return state

    async def _quiet(self, operator: Incarnations, deadline: float) -> None:
        since, written = time.monotonic(), operator.writes
        while time.monotonic() < min(since + QUIET, deadline):
            await asyncio.sleep(0.1)
            if operator.writes != written or not operator.ready:
                since, written = time.monotonic(), operator.writes
