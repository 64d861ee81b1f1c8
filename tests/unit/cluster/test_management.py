"""Pods of the mock come and go while the operator asks them."""

import asyncio
import gc
import socket

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
