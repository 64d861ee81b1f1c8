"""The steady state: nothing changes, so nothing is written and hardly anything is done."""

import asyncio
import time

from tests.bench.figures import Row
from tests.bench.operator.ours import Ours


async def idle(operator: Ours, resources: int, seconds: float) -> list[Row]:
    """The operator must have come to rest."""
    writes, cpu, begun = sum(operator.writes().values()), operator.usage().cpu_s, time.monotonic()
    await asyncio.sleep(seconds)
    share = 100 * (operator.usage().cpu_s - cpu) / (time.monotonic() - begun)
    return [
        Row(f"writes with {resources:,} idle resources", "writes", sum(operator.writes().values()) - writes, 0),
        Row(f"CPU with {resources:,} idle resources", "% of a core", share, 1),
    ]
