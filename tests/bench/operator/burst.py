"""Many objects created at once, and when each of them is complete."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.operator.client import Client, Object


@dataclass(frozen=True)
class Burst:
    """Times in seconds from the first create, the origin for all objects."""

    count: int
    created_s: float
    complete_s: float
    p50_s: float
    p99_s: float

    @property
    def created_per_s(self) -> float:
        return self.count / self.created_s


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed (nearest rank). Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(1, int(rank)) - 1]


async def burst(
    client: Client, collection: str, bodies: Sequence[Object], done: Callable[[Object], bool], patience_s: float
) -> Burst:
    """Raises TimeoutError if some are not complete by then, and what `done` raises for one that failed."""
    version = await client.version(collection)
    waiting = {body["metadata"]["name"] for body in bodies}
    times: list[float] = []
    begun = time.perf_counter()

    async def follow() -> None:
        async for obj in client.watch(collection, version):
            name = obj["metadata"]["name"]
            if name in waiting and done(obj):
                times.append(time.perf_counter() - begun)
                waiting.discard(name)
                if not waiting:
                    return

    async with asyncio.timeout(patience_s), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow())
        await client.create(collection, bodies)
        created = time.perf_counter() - begun
    return Burst(len(bodies), created, max(times), percentile(times, 50), percentile(times, 99))
