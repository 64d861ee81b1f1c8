"""One contender on a control plane of its own: a burst, what it cost the controllers and the API server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.operator import kwok, metrics
from tests.bench.operator.burst import Burst, burst
from tests.bench.operator.client import Client
from tests.bench.operator.contender import Contender
from tests.bench.operator.usage import usage
from tests.cluster.controlplane import ControlPlane

WARM_UP = 20  # objects, so that nobody's first request counts
REST_S = 5  # after the last object is complete: what controllers still do then is part of the cost


@dataclass(frozen=True)
class Measured:
    """CPU of all the contender's processes and of the API server, and everybody's writes to it; for the burst."""

    name: str
    burst: Burst
    controller_cpu_s: float
    server_cpu_s: float
    writes: float

    @property
    def controller_cpu_ms_each(self) -> float:
        return 1000 * self.controller_cpu_s / self.burst.count


@contextmanager
def cluster() -> Iterator[ControlPlane]:
    """A real control plane with fake nodes; each contender finds the same, an empty one."""
    with ControlPlane(controllers=True, scheduler=True) as plane:
        kwok.start(plane)
        yield plane


async def measure(plane: ControlPlane, contender: Contender, count: int) -> Measured:
    """The contender must have been started."""
    async with Client(plane) as client:
        await _burst(client, contender, "warm", WARM_UP)
        controllers, server, writes = (
            _cpu(plane, *contender.processes),
            _cpu(plane, "api-server"),
            metrics.server_writes(plane),
        )
        result = await _burst(client, contender, "job", count)
        await asyncio.sleep(REST_S)
    return Measured(
        contender.name,
        result,
        _cpu(plane, *contender.processes) - controllers,
        _cpu(plane, "api-server") - server,
        metrics.server_writes(plane) - writes,
    )


async def _burst(client: Client, contender: Contender, prefix: str, count: int) -> Burst:
    bodies = [contender.body(f"{prefix}-{number:05}") for number in range(count)]
    return await burst(client, contender.collection, bodies, contender.done, 60 + 0.6 * count)


def _cpu(plane: ControlPlane, *names: str) -> float:
    recorded = plane.processes.recorded()
    return sum(usage(recorded[name].pid).cpu_s for name in names)
