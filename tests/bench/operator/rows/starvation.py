"""Whether a burst of one kind keeps another waiting: a ModelDeployment that comes behind many new TrainingJobs."""

import asyncio
import time

from tests.bench.figures import Row
from tests.bench.operator.burst import burst
from tests.bench.operator.client import Client, Object
from tests.bench.operator.contender import NAMESPACE
from tests.bench.operator.ours import GROUP, Ours

_ROOT = "served"
_DEPLOYMENT = "endpoint"
_SELECTOR = f"labelSelector=modelyard.dev/kind%3DModelDeployment%2Cmodelyard.dev/name%3D{_DEPLOYMENT}"
_LAST = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"  # the one that is applied last
_CHILDREN = {
    f"/api/v1/namespaces/{NAMESPACE}/configmaps": 1,
    f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments": 1,
    f"/api/v1/namespaces/{NAMESPACE}/services": 2,
    _LAST: 1,
}


async def starvation(client: Client, operator: Ours, count: int) -> Row:
    await burst(client, operator.collection, [operator.body(_ROOT)], operator.done, 60)
    await asyncio.to_thread(operator.settle)
    version = await client.version(_LAST)
    await client.create(operator.collection, [operator.body(f"crowd-{number:05}") for number in range(count)])
    queued = await asyncio.to_thread(operator.queued)
    begun = time.perf_counter()
    await client.create(f"{GROUP}/modeldeployments", [_deployment()])
    async with asyncio.timeout(120):
        async for _ in client.watch(_LAST, version):
            break
    waited = time.perf_counter() - begun
    for collection, number in _CHILDREN.items():
        found = (await client.call("GET", f"{collection}?{_SELECTOR}"))["items"]
        if len(found) != number:
            raise RuntimeError(f"{collection} has {len(found)} objects of the ModelDeployment, not {number}")
    name = f"a ModelDeployment has its children behind {count:,} new TrainingJobs"
    return Row(name, "s", waited, 5, note=f"{queued:,} resources were queued when it was created")


def _deployment() -> Object:
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": _DEPLOYMENT},
        "spec": {"model": {"trainingJobRef": {"name": _ROOT}}},
    }
