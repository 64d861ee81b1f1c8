"""Pods that Kubernetes refuses to create: the resource says what refuses them, and the fix, within seconds."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from modelyard.plan.kinds import PLANNERS
from modelyard.runtime.client import Client
from tests.cluster.controlplane import ControlPlane
from tests.integration.plan.refused import create, on_the_hosts_network, operating, pinned, with_model
from tests.integration.runtime.cluster import User
from tests.integration.runtime.conftest import prepared
from tests.unit.plan.builders import deployment, training_job

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
SECONDS = 90  # on a loaded machine; a quiet one needs 12


@pytest_asyncio.fixture
async def user(controlled_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[User]:
    monkeypatch.setenv("KUBECONFIG", str(controlled_plane.kubeconfig))
    client = await Client.connect()
    try:
        yield await prepared(client)
    finally:
        await client.close()


def ready(resource: Any) -> dict[str, str]:
    conditions = (resource or {}).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "Ready"), {"reason": "", "message": ""})


async def shown(user: User, kind: str, name: str, reason: str) -> str:
    """The message once the resource shows the reason."""
    began = time.monotonic()
    found = await user.until(kind, name, lambda r: ready(r)["reason"] == reason, within=SECONDS)
    print(f"{kind} showed {reason} after {time.monotonic() - began:.1f} s")
    return ready(found)["message"]


async def both(user: User) -> None:
    await with_model(user)
    await create(user, pinned(training_job("j")))
    await create(user, deployment("m", "t"))


async def test_a_quota_without_pods_is_named_with_its_amounts(user: User) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    await user.call("post", f"/api/v1/namespaces/{user.namespace}/resourcequotas", body=quota)
    async with operating(user):
        await both(user)
        for kind, name in (("TrainingJob", "j"), ("ModelDeployment", "m")):
            message = await shown(user, kind, name, "QuotaExceeded")
            assert "ResourceQuota none allows no more pods (asked for 1, used 0 of 0): raise it" in message
            assert message.endswith("(see docs/reasons/QuotaExceeded.md)")


async def test_pod_security_is_named_with_what_it_refuses(user: User) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    path = f"/api/v1/namespaces/{user.namespace}"
    body = {"metadata": {"labels": labels}}
    await user.call("patch", path, body=body, content_type="application/merge-patch+json")
    async with operating(user, {kind: on_the_hosts_network(planner) for kind, planner in PLANNERS.items()}):
        await both(user)
        for kind, name in (("TrainingJob", "j"), ("ModelDeployment", "m")):
            message = await shown(user, kind, name, "ConfigError")
            assert "Pod Security restricted of this namespace refuses the pod: “host namespaces" in message
            assert "pod-security.kubernetes.io/enforce" in message
            assert message.endswith("(see docs/reasons/ConfigError.md)")


async def test_a_cluster_without_nodes_is_said_in_the_schedulers_words(user: User) -> None:
    async with operating(user):
        await create(user, pinned(training_job("j")))
        message = await shown(user, "TrainingJob", "j", "Unschedulable")
        assert message.startswith("no node fits: “no nodes available to schedule pods”; it starts by itself")
