"""Kinds that the API server does not serve, and rights that the operator lacks: said, and healed when mended."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from modelyard.runtime.client import Client
from modelyard.runtime.resources import OWN
from tests.cluster.controlplane import ControlPlane
from tests.cluster.fault_proxy.account import chart_rules, without
from tests.cluster.fault_proxy.effects import Refuse
from tests.cluster.fault_proxy.rules import Rule
from tests.cluster.fault_proxy.server import FaultProxy
from tests.integration.runtime.cluster import User, operating, owners_of
from tests.integration.runtime.conftest import CRDS, prepared
from tests.integration.runtime.proxied import allow

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ABSENT = Refuse(404, "NotFound", "the server could not find the requested resource")


def conditions(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {condition["type"]: condition for condition in resource.get("status", {}).get("conditions", [])}


async def test_kinds_that_are_not_served_at_first_are_waited_for(user: User, proxy: FaultProxy) -> None:
    proxy.script(Rule(ABSENT, path="^/apis/modelyard.dev/v1alpha1"))
    async with operating(user):
        await user.dataset("one", "a")
        await asyncio.sleep(5)
        found = await user.get("Dataset", "one")
        assert found
        assert "status" not in found
        assert proxy.counts()[ABSENT.name]
        proxy.script()
        await user.until("Dataset", "one", conditions, within=30)
        await user.dataset("two", "a")
        await user.ready("two")


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """One of our own, as definitions belong to the whole cluster; with a garbage collector."""
    with ControlPlane(controllers=True) as result:
        monkeypatch.setenv("KUBECONFIG", str(result.kubeconfig))
        yield result


@pytest_asyncio.fixture
async def alone(plane: ControlPlane) -> AsyncIterator[User]:
    client = await Client.connect()
    try:
        yield await prepared(client)
    finally:
        await client.close()


async def test_kinds_that_vanish_and_come_back(alone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their definition all resources go, and the operator must neither end nor stay blind.

    Whether their children go, too, is a race: https://github.com/kubernetes/kubernetes/issues/102641
    """
    async with operating(alone):
        await alone.dataset("one", "a")
        await alone.ready("one")
        for kind in KINDS:
            await alone.call("delete", f"{CRDS}/{definition(kind)['metadata']['name']}")
        await asyncio.sleep(3)
        for kind in KINDS:
            await alone.call("post", CRDS, body=definition(kind))
        for resource in OWN:
            await alone.served(resource)
        second = await alone.dataset("one", "b")
        await alone.until("Dataset", "one", conditions, within=60)

        def is_new(child: Any) -> bool:
            return owners_of(child) == [second["metadata"]["uid"]] and child["data"] == {"words": "b"}

        await alone.until("ConfigMap", "one-task", is_new)


async def test_a_right_that_is_missing_is_named_with_the_fix(user: User, proxy: FaultProxy) -> None:
    await allow(user, without(chart_rules(), "configmaps", "patch"))
    async with operating(user):
        await user.dataset("one", "a")
        found = await user.until("Dataset", "one", conditions, within=20)
        ready = conditions(found)["Ready"]
        assert (ready["status"], ready["reason"]) == ("False", "InternalError")
        assert 'cannot patch resource "configmaps"' in ready["message"]
        assert "role" in ready["message"]
        assert await user.get("ConfigMap", "one-task") is None
        await allow(user, chart_rules())
        await user.until("Dataset", "one", lambda d: conditions(d)["Ready"]["status"] == "True", within=30)


async def test_a_kind_that_may_not_be_listed_keeps_the_operator_from_being_ready_and_no_longer(
    user: User, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    await allow(user, without(chart_rules(), "services", "list"))
    await user.dataset("one", "a")
    async with operating(user):
        await asyncio.sleep(5)
        found = await user.get("Dataset", "one")
        assert found
        assert "status" not in found, "it acts without knowing what exists"
        assert 'cannot list resource "services"' in caplog.text
        await allow(user, chart_rules())
        await user.until("Dataset", "one", conditions, within=30)
