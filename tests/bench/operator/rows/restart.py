"""A restart with many resources that are as they should be: quickly ready, and nothing to write."""

import asyncio

from tests.bench.figures import Row
from tests.bench.operator.ours import Ours

SECOND_LOOK_S = 35  # everything is listed once more half a minute after the start


async def restart(operator: Ours, resources: int) -> list[Row]:
    """The operator must have come to rest."""
    operator.stop()
    ready_s = operator.run()
    await asyncio.sleep(SECOND_LOOK_S)
    writes = await asyncio.to_thread(operator.settle)
    return [
        Row(f"ready after a restart with {resources:,} resources", "s", ready_s, 10),
        Row(f"writes of a restart with {resources:,} resources", "writes", sum(writes.values()), 0),
    ]
