"""A leader that was stopped, or whose packets are late: the API server's audit log tells what it still wrote."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from modelyard.plan.labels import PAUSED
from modelyard.runtime.client import Client
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until
from tests.integration.runtime.audit import took_over, writes
from tests.integration.runtime.cluster import User
from tests.integration.runtime.conftest import prepared
from tests.integration.runtime.relay import Relay
from tests.integration.runtime.replicas import Replica, leading, standing_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
GROUP = "replicas"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """One that writes down what replicas do."""
    with ControlPlane(audited=GROUP) as made:
        rights = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": GROUP},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": GROUP}],
        }
        assert made.api.apply(f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{GROUP}", rights) in (200, 201)
        yield made


@pytest_asyncio.fixture
async def owner(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[User]:
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    client = await Client.connect()
    try:
        yield await prepared(client)
    finally:
        await client.close()


def replica(plane: ControlPlane, name: str, owner: User, folder: Path, server: str = "") -> Replica:
    """One with a user of its own, `<namespace>-<name>`, in the audit log."""
    made, who = plane.settings.credentials, f"{owner.namespace}-{name}"
    made.issue(who, who, GROUP)
    config = made.kubeconfig(who, server or plane.url, folder / f"{name}.kubeconfig")
    return Replica(name, owner.namespace, folder, environment={"KUBECONFIG": str(config)})


async def kept_busy(owner: User, over: asyncio.Event) -> dict[str, int]:
    """Changes Datasets as fast as it goes; how often each was changed."""
    changes = {f"d{i}": 0 for i in range(30)}
    while not over.is_set():
        for name in changes:
            changes[name] += 1
            await owner.dataset(name, f"change {changes[name]}")
    return changes


async def test_a_leader_that_is_stopped_amid_its_work_writes_nothing_after_the_takeover(
    plane: ControlPlane, owner: User, tmp_path: Path
) -> None:
    with (
        leading(replica(plane, "first", owner, tmp_path)) as leader,
        standing_by(replica(plane, "second", owner, tmp_path)) as standby,
    ):
        over = asyncio.Event()
        work = asyncio.create_task(kept_busy(owner, over))
        await asyncio.to_thread(until, lambda: leader.writes() > 100, "the leader is at work", 30)
        leader.process.send_signal(signal.SIGSTOP)
        await asyncio.to_thread(until, standby.leads, "the standby leads", 25)
        leader.process.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(leader.process.wait, 30) == 1
        over.set()
        for name, changes in (await work).items():
            await owner.ready(name, generation=changes, within=30)
    taken = took_over(plane.audit_log, f"{owner.namespace}-second")
    old = writes(plane.audit_log, f"{owner.namespace}-first")
    assert len(old) > 50
    late = [request for request in old if request.at > taken]
    assert len(late) <= 1, late  # it may have been stopped between its last look and the socket
    assert "LeaseLostError" in leader.log.read_text() or "FencedError" in leader.log.read_text()


async def test_a_former_leaders_late_packets_change_no_status_and_what_they_change_is_mended_at_once(
    plane: ControlPlane, owner: User, tmp_path: Path
) -> None:
    """A status goes out with the version it was made for. A server-side apply does not, so it is done; the new leader
    sees what it did as it sees a user's hand, and mends it. The child is of a new resource: of others, the former
    leader would first ask what they are now."""
    relay = Relay(plane.settings.api_port)
    through = f"https://127.0.0.1:{relay.port}"
    who, names = f"{owner.namespace}-first", [f"d{i}" for i in range(8)]

    def late() -> dict[str, int]:
        taken = took_over(plane.audit_log, f"{owner.namespace}-second")
        return {f"{r.resource} {r.name}": r.code for r in writes(plane.audit_log, who) if r.at > taken}

    try:
        with (
            leading(replica(plane, "first", owner, tmp_path, through)) as leader,
            standing_by(replica(plane, "second", owner, tmp_path)) as standby,
        ):
            await asyncio.gather(*(owner.dataset(name, "a") for name in names))  # at once: many open connections
            await asyncio.gather(*(owner.ready(name) for name in names))
            relay.hold()
            await owner.dataset("new", "b")
            await owner.merge("Dataset", "d1", {"metadata": {"annotations": {PAUSED: "true"}}})
            assert await asyncio.to_thread(leader.process.wait, 20) == 1
            await asyncio.to_thread(until, standby.leads, "the standby leads", 25)
            await owner.ready("new")
            await owner.dataset("new", "c")
            await owner.merge("Dataset", "d1", {"metadata": {"annotations": {PAUSED: None}}})
            await owner.until("ConfigMap", "new-task", lambda c: c["data"] == {"by": "second", "words": "c"})
            await owner.ready("new", generation=2)
            settled = await owner.until("Dataset", "d1", lambda d: "Paused" not in str(d["status"]))

            relay.release()
            await asyncio.to_thread(until, lambda: "configmaps new-task" in late(), "the late packets are there", 20)
            arrived = time.monotonic()
            await owner.until("ConfigMap", "new-task", lambda c: c["data"] == {"by": "second", "words": "c"})
            print(f"mended after {time.monotonic() - arrived:.2f} s")
            await asyncio.to_thread(until, lambda: "datasets/status d1" in late(), "the late status is there", 20)
            assert late() == {"configmaps new-task": 200, "datasets/status d1": 409}
            assert (await owner.get("Dataset", "d1") or {})["status"] == settled["status"]
    finally:
        relay.close()
