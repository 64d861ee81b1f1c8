"""The whole run: each contender's burst on an empty cluster of its own, then what is asked of our operator alone."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from tests.bench.figures import Row
from tests.bench.operator.client import Client
from tests.bench.operator.contender import Contender, PlainJobs
from tests.bench.operator.measure import WARM_UP, Measured, cluster, measure
from tests.bench.operator.ours import MISSING, Ours, training_job
from tests.bench.operator.rows.burst import compared
from tests.bench.operator.rows.cost import cost
from tests.bench.operator.rows.idle import idle
from tests.bench.operator.rows.memory import memory
from tests.bench.operator.rows.propagation import propagation
from tests.bench.operator.rows.restart import restart
from tests.bench.operator.rows.starvation import starvation
from tests.bench.operator.trainer import Trainer
from tests.cluster.controlplane import ControlPlane

PARTS = ("trainer", "plain", "ours", "idle", "restart", "memory", "propagation", "starvation")


@dataclass(frozen=True)
class Sizes:
    """`jobs` of a burst, `existing` resources at the restart, `many` for the memory; `seconds` of a row that lasts."""

    jobs: int
    existing: int
    many: int
    seconds: float


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)
    bursts: list[Measured] = field(default_factory=list)
    own_writes: dict[str, float] = field(default_factory=dict)  # of our operator by verb, per TrainingJob


def run(sizes: Sizes, parts: Collection[str]) -> Report:
    report = Report()
    peer = _alone(Trainer(), sizes, report) if "trainer" in parts else None
    plain = _alone(PlainJobs(), sizes, report) if "plain" in parts else None  # soon before ours: machines drift
    if "ours" in parts:
        _ours(sizes, parts, plain, peer, report)
    if "propagation" in parts:
        report.rows.append(_propagation(sizes))
    if "starvation" in parts:
        report.rows.append(_starvation(sizes))
    return report


def _alone(contender: Contender, sizes: Sizes, report: Report) -> Measured:
    with cluster() as plane:
        contender.start(plane)
        measured = asyncio.run(measure(plane, contender, sizes.jobs))
    report.bursts.append(measured)
    return measured


def _ours(sizes: Sizes, parts: Collection[str], plain: Measured | None, peer: Measured | None, report: Report) -> None:
    """The burst, and on what it leaves the rows about resources that are at rest."""
    operator = Ours()
    with cluster() as plane:
        operator.start(plane)
        measured = asyncio.run(measure(plane, operator, sizes.jobs))
        writes = operator.settle()
        report.bursts.append(measured)
        report.own_writes = {verb: count / (sizes.jobs + WARM_UP) for verb, count in writes.items()}
        if plain:
            report.rows += compared(plain, measured, peer)
        report.rows += cost(measured, report.own_writes, peer)
        if "memory" in parts:
            report.rows.append(memory(operator, sizes.jobs))
        if "idle" in parts:
            report.rows += asyncio.run(idle(operator, sizes.jobs, sizes.seconds))
        present = sizes.jobs + WARM_UP
        if "restart" in parts:
            _waiting(plane, operator, present, sizes.existing)
            present = sizes.existing
            report.rows += asyncio.run(restart(operator, sizes.existing))
        if "memory" in parts:
            _waiting(plane, operator, present, sizes.many)
            report.rows.append(memory(operator, sizes.many))


def _waiting(plane: ControlPlane, operator: Ours, present: int, wanted: int) -> None:
    """More TrainingJobs, up to so many, that wait for a Dataset that does not exist: their status says so."""

    async def create() -> None:
        async with Client(plane) as client:
            bodies = [training_job(f"waiting-{number:05}", MISSING) for number in range(present, wanted)]
            await client.create(operator.collection, bodies)

    asyncio.run(create())
    operator.settle()


def _propagation(sizes: Sizes) -> Row:
    operator = Ours()
    with ControlPlane(controllers=True) as plane:
        operator.start(plane)

        async def measured() -> Row:
            async with Client(plane) as client:
                return await propagation(client, operator, min(20.0, sizes.seconds))

        return asyncio.run(measured())


def _starvation(sizes: Sizes) -> Row:
    operator = Ours()
    with cluster() as plane:
        operator.start(plane)

        async def measured() -> Row:
            async with Client(plane) as client:
                return await starvation(client, operator, sizes.jobs)

        return asyncio.run(measured())
