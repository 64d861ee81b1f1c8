"""The mock's nodes: registered, Ready and with room for everything, so that the real scheduler binds pods to them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.cluster.mock_kubelet.connection import Connection

_EVERY = 10.0  # seconds between two signs of life, as kubelet's
_ROOM = {"cpu": "10000", "memory": "10Ti", "ephemeral-storage": "100Ti", "pods": "100000"}
_APPLY = "application/apply-patch+yaml"


async def register(connection: Connection, names: Sequence[str]) -> None:
    for name in names:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
        await connection.call("POST", "/api/v1/nodes", {**node, "metadata": {"name": name, "labels": labels}})
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "the mock kubelet is ready"}
        times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
        status = {"capacity": _ROOM, "allocatable": _ROOM, "conditions": [{**ready, **times}]}
        kind = "application/strategic-merge-patch+json"
        await connection.call("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, kind)


async def stay_alive(connection: Connection, names: Sequence[str]) -> None:
    """Renews the nodes' leases until cancelled: else the node controller takes them for lost."""
    while True:
        for name in names:
            path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}"
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": name, "namespace": "kube-node-lease"},
                "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now},
            }
            await connection.call("PATCH", path, lease, _APPLY, fieldManager="mock-kubelet", force="true")
        await asyncio.sleep(_EVERY)


async def remove(connection: Connection, names: Sequence[str]) -> None:
    for name in names:
        await connection.call("DELETE", f"/api/v1/nodes/{name}")
