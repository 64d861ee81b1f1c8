"""Level-triggered, with the real planners on live objects of all kinds: unchanged is left alone, missing comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.plan.kinds import PLANNERS
from modelyard.plan.labels import REVISION
from modelyard.runtime.app import Operator
from modelyard.runtime.client import Client
from modelyard.runtime.config import parse
from modelyard.runtime.metrics import RECONCILES
from tests.cluster.waiting import until
from tests.integration.release.state import children, kept, statuses
from tests.integration.runtime.cluster import quiet, writes
from tests.product.product import CHART
from tests.released import LATEST, NAMESPACE
from tests.released.live import CHILDREN, RELEASE, SYSTEM, Live, identity, live

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
ROUNDS = 100
PLANNED = ("cronjobs", "configmaps", "services", "deployments", "poddisruptionbudgets")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    with live(tmp_path, CHART, LATEST) as made:
        monkeypatch.setenv("KUBECONFIG", str(made.plane.kubeconfig))
        yield made


@asynccontextmanager
async def operating(cluster: Live, **more: Any) -> AsyncIterator[Operator]:
    """The operator with its own planners, in this process; the context begins when it has come to rest."""
    found = cluster.kubectl("get", "configmap", f"{RELEASE}-operator", "-n", SYSTEM, "-o", "json")
    settings = {**yaml.safe_load(json.loads(found)["data"]["operator.yaml"]), **more}
    client = await Client.connect()
    operator = Operator(client, parse(settings, "the release"), PLANNERS, elect=False)
    task = asyncio.create_task(operator.run())
    try:
        await asyncio.to_thread(until, lambda: operator.ready or task.done(), "the operator is ready", 30)
        await quiet(2)
        yield operator
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await operator.close()
        await client.close()


def versions(cluster: Live) -> dict[str, str]:
    return {identity(o): o["metadata"]["resourceVersion"] for o in (*cluster.resources(), *cluster.items(*CHILDREN))}


def reconciles() -> dict[str, float]:
    """How often each kind was reconciled without an error."""
    samples = [s for metric in RECONCILES.collect() for s in metric.samples if s.name.endswith("_total")]
    done = [s for s in samples if s.labels["result"] != "error"]
    return {kind: sum(s.value for s in done if s.labels["controller"] == kind) for kind in PLANNERS}


async def test_what_is_as_it_should_be_is_reconciled_a_hundred_times_without_a_write(cluster: Live) -> None:
    async with operating(cluster) as operator:
        sent, before, done = writes(), versions(cluster), reconciles()
        for turn in range(1, ROUNDS + 1):
            operator.intake.wake_all()
            while any(n < done[kind] + turn for kind, n in reconciles().items()):  # noqa: ASYNC110 - a metric
                await asyncio.sleep(0.01)
        assert writes() == sent
        assert versions(cluster) == before


def specs(cluster: Live) -> dict[str, Any]:
    """What planners decide of the children that are to be there now."""
    return {identity(c): decided(c) for c in wanted(cluster)}


def wanted(cluster: Live) -> list[dict[str, Any]]:
    """All but the Jobs of builds, attempts and checks that are over, which nobody needs any more.

    Nor the ConfigMaps of Jobs, which bear their names: a Job of this version carries its task itself (ADR 14).
    """
    jobs = cluster.items("jobs")
    running = [j for j in jobs if not j["status"].get("completionTime")]
    names = {j["metadata"]["name"] for j in jobs}
    return running + [c for c in cluster.items(*PLANNED) if c["metadata"]["name"] not in names]


def decided(child: dict[str, Any]) -> Any:
    spec, labels = child.get("spec", {}), child["metadata"]["labels"]
    if child["kind"] == "Job":
        (container,) = spec["template"]["spec"]["containers"]  # the rest holds uids, and how the task gets there
        spec = {k: container[k] for k in ("name", "image", "env", "resources")}
        labels = {k: v for k, v in labels.items() if k != REVISION}  # which this version gives
    given = {k: v for k, v in spec.items() if k not in ("clusterIP", "clusterIPs")}
    return {"spec": given, "data": child.get("data"), "labels": labels}


def delete_children(cluster: Live) -> None:
    for child in wanted(cluster):
        cluster.kubectl("delete", child["kind"], child["metadata"]["name"], "-n", NAMESPACE, "--wait=false")


CHANGES = {
    "Deployment": {"spec": {"replicas": 5, "template": {"spec": {"terminationGracePeriodSeconds": 1}}}},
    "Service": {"spec": {"selector": {"modelyard.dev/revision": "mine"}}},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": 2}},
    "CronJob": {"spec": {"schedule": "0 0 1 1 *"}},
}


def change_children(cluster: Live) -> None:
    for child in wanted(cluster):
        if child["kind"] in CHANGES:
            patch(cluster, child, CHANGES[child["kind"]])


def patch(cluster: Live, obj: dict[str, Any], change: Any) -> None:
    where = (obj["kind"], obj["metadata"]["name"], "-n", NAMESPACE)
    cluster.kubectl("patch", *where, "--type=merge", "--patch", json.dumps(change))


@pytest.mark.parametrize("meddle", [delete_children, change_children], ids=["deleted", "changed"])
@pytest.mark.parametrize("operator_is", ["up", "down"])
async def test_children_that_somebody_deleted_or_changed_are_as_before(
    cluster: Live, meddle: Callable[[Live], None], operator_is: str
) -> None:
    async def restored() -> None:
        await asyncio.to_thread(until, lambda: specs(cluster) == before, "all is as before", 60, every_s=1)

    async with operating(cluster, resyncSeconds=5):
        before, said = specs(cluster), statuses(cluster)
        assert {name.partition("/")[0] for name in before} == {"Job", "ConfigMap", *CHANGES}
        if operator_is == "up":
            meddle(cluster)
            await restored()
    if operator_is == "down":
        meddle(cluster)
        assert specs(cluster) != before
        async with operating(cluster, resyncSeconds=5):
            await restored()
    finished = {name: said[name] for name in ("Dataset/orders", "TrainingJob/orders")}
    assert kept(finished, statuses(cluster)) == finished


EDITS: dict[str, dict[str, Any]] = {
    "Dataset": {"transform": {"sql": "select 2 as x"}},
    "TrainingJob": {"parameters": {"max_iter": "7"}},
    "ModelDeployment": {"replicas": {"min": 3}},
    "DriftMonitor": {"schedule": {"cron": "1 1 1 1 *"}},
}


def put_spec(cluster: Live, resource: dict[str, Any], spec: dict[str, Any]) -> None:
    change = json.dumps([{"op": "replace", "path": "/spec", "value": spec}])
    where = (resource["kind"], resource["metadata"]["name"], "-n", NAMESPACE)
    cluster.kubectl("patch", *where, "--type=json", "--patch", change)


async def test_a_spec_that_was_changed_and_changed_back_while_the_operator_was_down_starts_nothing(
    cluster: Live,
) -> None:
    async with operating(cluster):
        before, said = children(cluster), statuses(cluster)
    for resource in cluster.resources():
        put_spec(cluster, resource, {**resource["spec"], **EDITS[resource["kind"]]})
        put_spec(cluster, resource, resource["spec"])
    sent = writes()
    async with operating(cluster):
        assert children(cluster) == before
        assert kept(said, statuses(cluster)) == said
        behind = [r for r in cluster.resources() if r["status"]["observedGeneration"] != r["metadata"]["generation"]]
        assert behind == []
        assert writes() - sent == len(cluster.resources()), "each status tells that it is about the present spec"
