"""Pods of the mock come and go while the operator asks them."""

import asyncio
import gc
import socket
from collections.abc import Coroutine
from typing import Any

import pytest

from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import MANAGEMENT_PORT, Task
from tests.cluster.mock_kubelet.life import Seen
from tests.cluster.mock_kubelet.management import Management, healthy

SEEN = Seen("ns", "m", "server", 0, "", Task(namespace="ns", name="m", store=StoreConfig(uri="s3://b")))


@pytest.mark.parametrize("moments", range(6))
async def test_a_pod_that_ends_just_when_it_is_asked_leaves_nothing_open(moments: int) -> None:
    management = Management(healthy)
    await management.start()
    for _ in range(20):
        address = await management.open(SEEN)
        with socket.create_connection((address, MANAGEMENT_PORT)):
            for _ in range(moments):
                await asyncio.sleep(0)
            await management.close(address)
    await management.stop()
    gc.collect()  # what is still open is a ResourceWarning then, and that an error


def left_open() -> list[socket.socket]:
    """Listening or about to: the loop keeps such a socket, so that no warning tells of it before the loop ends."""
    found = [o for o in gc.get_objects() if type(o) is socket.socket and o.fileno() >= 0]
    return [o for o in found if o.family == socket.AF_INET and o.getsockname()[1] == MANAGEMENT_PORT]


async def cancelled_after(turns: int, work: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.create_task(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})


@pytest.mark.parametrize("turns", range(9))
async def test_a_pod_that_is_deleted_while_its_port_opens_leaves_nothing_open(turns: int) -> None:
    management = Management(healthy)
    await management.start()
    await cancelled_after(turns, management.open(SEEN))
    await management.stop()
    gc.collect()
    assert left_open() == []


@pytest.mark.parametrize("turns", range(9))
async def test_a_pod_that_is_deleted_while_its_port_closes_leaves_nothing_open(turns: int) -> None:
    management = Management(healthy)
    await management.start()
    address = await management.open(SEEN)
    assert len(left_open()) == 1
    await cancelled_after(turns, management.close(address))
    await management.stop()
    gc.collect()
    assert left_open() == []


async def test_an_address_of_another_mock_is_passed_over() -> None:
    one, two = Management(healthy), Management(healthy)
    two._network = one._network
    for management in (one, two):
        await management.start()
    addresses = await asyncio.gather(*(m.open(SEEN) for m in (one, two, one, two)))
    assert len(set(addresses)) == len(left_open()) == 4
    for management in (one, two):
        await management.stop()
    assert left_open() == []
