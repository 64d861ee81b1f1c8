"""The API server goes away, or hangs, and comes back: the operator goes on by itself."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from modelyard.runtime.client import Client
from tests.cluster import components
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until
from tests.integration.runtime.cluster import User, operating
from tests.integration.runtime.conftest import prepared

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """One that others do not depend on."""
    with ControlPlane() as result:
        monkeypatch.setenv("KUBECONFIG", str(result.kubeconfig))
        yield result


@pytest_asyncio.fixture
async def watched(plane: ControlPlane) -> AsyncIterator[User]:
    client = await Client.connect()
    try:
        yield await prepared(client)
    finally:
        await client.close()


async def goes_on(user: User) -> None:
    await user.dataset("two", "a")
    await user.until("Dataset", "two", lambda found: found.get("status"), within=20)


async def test_a_restarted_api_server(plane: ControlPlane, watched: User) -> None:
    async with operating(watched):
        await watched.dataset("one", "a")
        await watched.ready("one")
        await asyncio.to_thread(plane.processes.stop, ("api-server",), grace_s=0)
        await asyncio.sleep(2)
        plane.processes.start("api-server", components.api_server(plane.settings))
        await asyncio.to_thread(until, plane.api.ready, "the API server is back", 30)
        await goes_on(watched)


async def test_a_hanging_api_server(plane: ControlPlane, watched: User) -> None:
    async with operating(watched):
        await watched.dataset("one", "a")
        await watched.ready("one")
        server = plane.processes.recorded()["api-server"]
        server.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(7)  # longer than a write may take
        finally:
            server.signal(signal.SIGCONT)
        await goes_on(watched)
