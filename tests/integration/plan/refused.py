"""The whole operator on a real control plane, and resources whose pods Kubernetes refuses."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

from modelyard.plan.kinds import PLANNERS, Planner
from modelyard.plan.labels import PAUSED
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object, Plan
from modelyard.plan.settings import Settings
from modelyard.runtime.app import Operator
from modelyard.runtime.client import Client
from modelyard.runtime.config import Config, Runtime
from modelyard.runtime.resources import resource_of
from tests.integration.runtime.cluster import User
from tests.unit.plan.builders import Built, digest
from tests.unit.plan.endpoints import model


@asynccontextmanager
async def operating(user: User, planners: Mapping[str, Planner] = PLANNERS) -> AsyncIterator[None]:
    client = await Client.connect()
    config = Config(Settings(), Runtime(namespaces=(user.namespace,), workers=4))
    operator = Operator(client, config, planners, elect=False)
    task = asyncio.create_task(operator.run())
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await operator.close()
        await client.close()


async def create(user: User, resource: Built, status: dict[str, Any] | None = None) -> None:
    """A new object of ours in the user's namespace, with a status where one is given."""
    kind, name = resource["kind"], resource["metadata"]["name"]
    annotations = resource["metadata"].get("annotations", {})
    metadata = {"name": name, "namespace": user.namespace, "annotations": annotations}
    body = {"apiVersion": resource["apiVersion"], "kind": kind, "metadata": metadata, "spec": resource["spec"]}
    await user.call("post", resource_of(kind).path(user.namespace), body=body)
    if status:
        path = resource_of(kind).path(user.namespace, name, "status")
        await user.call("patch", path, body={"status": status}, content_type="application/merge-patch+json")


async def with_model(user: User) -> None:
    """A trained job, whose status stays as it is, for a deployment to serve."""
    trained = model("t", "a", 1)
    now = "2026-03-01T12:00:00Z"
    conditions = [{"lastTransitionTime": now, **c, "reason": "Approved"} for c in trained["status"]["conditions"]]
    status = {**trained["status"], "conditions": conditions}
    await create(user, Built(trained).metadata(annotations={PAUSED: "true"}), status)


def pinned(job: Built) -> Built:
    """On a version that no Dataset is asked for."""
    return job.spec(datasetRef={"name": "d", "digest": digest("d")})


def on_the_hosts_network(planner: Planner) -> Planner:
    """Its pods leave the sandbox, as an injecting webhook or an older version of a chart might have it."""

    def plan(resource: Object, observed: Observed, now: datetime, settings: Settings) -> Plan:
        made = planner(resource, observed, now, settings)
        return replace(made, apply=tuple(_opened(child) for child in made.apply))

    return plan


def _opened(child: dict[str, Any]) -> dict[str, Any]:
    if child["kind"] not in ("Job", "Deployment"):
        return child
    opened = deepcopy(child)
    opened["spec"]["template"]["spec"]["hostNetwork"] = True
    return opened
