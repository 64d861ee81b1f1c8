"""How soon a change of a child shows in its parent's status, while a hundred children a second change.

There is no scheduler and no kubelet: the client writes the pods' status as these would, each time another resource
that no node has, which the parent's condition must name.
"""

import asyncio
import re
import time
from typing import Any

from tests.bench.figures import Row
from tests.bench.operator.burst import percentile
from tests.bench.operator.client import Client, Object
from tests.bench.operator.contender import NAMESPACE, condition
from tests.bench.operator.ours import Ours

RATE = 100  # changes a second
PARENTS = 200
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_NAMED = re.compile(r"example\.com/change-(\d+) ")


async def propagation(client: Client, operator: Ours, seconds: float) -> Row:
    """On a control plane without a scheduler. A later change of the same parent answers for an earlier one too."""
    pods = list((await _pods(client, operator)).items())
    version = await client.version(operator.collection)
    sent: dict[str, dict[int, float]] = {parent: {} for parent, _ in pods}
    delays: list[float] = []
    count = int(RATE * seconds)

    async def follow() -> None:
        async for parent in client.watch(operator.collection, version):
            now, open_changes = time.perf_counter(), sent[parent["metadata"]["name"]]
            shown = _NAMED.search(condition(parent, "Ready").get("message", ""))
            for number in [n for n in open_changes if shown and n <= int(shown[1])]:
                delays.append(now - open_changes.pop(number))
            if len(delays) == count:
                return

    async with asyncio.timeout(10 * seconds + 120), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow())
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as changes:
            for number in range(count):
                await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
                parent, pod = pods[number % len(pods)]
                sent[parent][number] = time.perf_counter()
                changes.create_task(_change(client, pod, number))
        rate = count / (time.perf_counter() - begun)
    name = f"99 of 100 changes of a child show within, at {RATE} a second"
    return Row(name, "s", percentile(delays, 99), 2, note=f"{rate:.0f} changes a second were made")


async def _pods(client: Client, operator: Ours) -> dict[str, str]:
    """The pods of new TrainingJobs by the TrainingJob's name, once all are there and the operator is at rest."""
    version = await client.version(_PODS)
    await client.create(operator.collection, [operator.body(f"parent-{number:03}") for number in range(PARENTS)])
    found: dict[str, str] = {}
    async with asyncio.timeout(120):
        async for pod in client.watch(_PODS, version):
            found[pod["metadata"]["labels"]["modelyard.dev/name"]] = pod["metadata"]["name"]
            if len(found) == PARENTS:
                break
    await asyncio.to_thread(operator.settle)
    return found


async def _change(client: Client, pod: str, number: int) -> None:
    said: dict[str, Any] = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": f"0/20 nodes are available: 20 Insufficient example.com/change-{number}.",
    }
    patch: Object = {"status": {"conditions": [said]}}
    await client.call("PATCH", f"{_PODS}/{pod}/status", patch, "application/strategic-merge-patch+json")
