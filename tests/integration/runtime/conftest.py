"""A namespace of its own for each test, on an API server that has our CRDs."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from modelyard.runtime.client import Client
from modelyard.runtime.resources import resource_of
from tests.cluster.fault_proxy.account import chart_rules
from tests.cluster.fault_proxy.server import FaultProxy
from tests.integration.runtime.cluster import User
from tests.integration.runtime.proxied import allow, token

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


async def prepared(client: Client) -> User:
    """A user of a new namespace on an API server that has our CRDs."""
    user = User(client, f"runtime-{uuid4().hex[:8]}")
    await install(user)
    await user.call("post", "/api/v1/namespaces", body={"metadata": {"name": user.namespace}})
    return user


async def install(user: User) -> None:
    """Returns when the API server serves our kinds."""
    for kind in KINDS:
        body = definition(kind)
        await user.call(
            "patch",
            f"{CRDS}/{body['metadata']['name']}",
            body=body,
            content_type="application/apply-patch+yaml",
            field_manager="tests",
            force_conflicts="true",
        )
    for kind in KINDS:
        await user.served(resource_of(kind.kind))


@pytest_asyncio.fixture
async def user(control_plane: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[User]:
    monkeypatch.setenv("KUBECONFIG", str(control_plane))
    client = await Client.connect()
    try:
        yield await prepared(client)
    finally:
        await client.close()


@pytest_asyncio.fixture
async def proxy(
    user: User, control_plane: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FaultProxy]:
    """An operator started from here on goes through it, as the account that the chart makes; the user does not."""
    await allow(user, chart_rules())
    with FaultProxy(control_plane) as between:
        config = between.kubeconfig(tmp_path / "proxied.kubeconfig", await token(user))
        monkeypatch.setenv("KUBECONFIG", str(config))
        yield between
