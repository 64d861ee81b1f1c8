"""Two replicas as processes: one acts, and when it ends, in whatever way, the other does."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.runtime.client import FencedError
from modelyard.runtime.election import Election, LeaseLostError
from tests.cluster.waiting import free_ports, until
from tests.integration.runtime.cluster import User

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[3]


class Replica:
    def __init__(self, name: str, namespace: str, folder: Path) -> None:
        (self.port,) = free_ports(1)
        self.name = name
        self.log = folder / f"{name}.log"
        config = folder / f"{name}.json"
        lease = {"namespace": namespace, "name": "modelyard"}
        config.write_text(json.dumps({"namespaces": [namespace], "lease": lease, "healthPort": self.port}))
        environment = {**os.environ, "POD_NAME": name, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}
        command = [sys.executable, "-m", "tests.integration.runtime.replica", str(config)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as answer:
            answer.close()
            return ""
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return ""

    def ready(self) -> bool:
        return self.page("/readyz") == "ok\n"

    def leads(self) -> bool:
        return "\nmodelyard_leader 1.0" in self.page("/metrics")

    def writes(self) -> float:
        lines = [line for line in self.page("/metrics").splitlines() if line.startswith("modelyard_api_writes_total")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()


@pytest.fixture
def replicas(user: User, tmp_path: Path) -> Iterator[tuple[Replica, Replica]]:
    """The leader, and a standby that is ready."""
    first = Replica("first", user.namespace, tmp_path)
    second = None
    try:
        until(first.leads, "the first replica leads", 30)
        second = Replica("second", user.namespace, tmp_path)
        until(second.ready, "the second replica is ready", 30)
        yield first, second
    finally:
        for replica in (first, second):
            if replica:
                replica.end()


async def test_one_acts_and_a_killed_leader_is_replaced(user: User, replicas: tuple[Replica, Replica]) -> None:
    leader, standby = replicas
    await user.dataset("one", "a")
    await user.ready("one")
    assert leader.writes() > 0
    assert standby.writes() == 0
    leader.process.kill()
    killed = time.monotonic()
    await user.dataset("two", "a")
    until(standby.leads, "the standby leads", 25)
    assert time.monotonic() - killed <= 20
    await user.ready("two")


async def test_a_leader_that_is_told_to_stop_hands_over_at_once(user: User, replicas: tuple[Replica, Replica]) -> None:
    leader, standby = replicas
    leader.process.terminate()
    until(standby.leads, "the standby leads", 6)
    assert leader.process.wait(timeout=10) == 0
    await user.dataset("one", "a")
    await user.ready("one")


async def test_a_leader_that_was_frozen_ends_without_a_write(user: User, replicas: tuple[Replica, Replica]) -> None:
    leader, standby = replicas
    await user.dataset("one", "a")
    await user.until("ConfigMap", "one-task", lambda c: c and c["data"]["by"] == "first")
    leader.process.send_signal(signal.SIGSTOP)
    until(standby.leads, "the standby leads", 25)
    taken = await user.until("ConfigMap", "one-task", lambda c: c["data"]["by"] == "second")
    leader.process.send_signal(signal.SIGCONT)
    assert leader.process.wait(timeout=10) == 1
    log = leader.log.read_text()
    assert "LeaseLostError" in log or "FencedError" in log
    assert await user.get("ConfigMap", "one-task") == taken


async def test_a_former_holder_is_fenced_and_told(user: User) -> None:
    now = 1000.0
    election = Election(user.client, user.namespace, "lease", "me", clock=lambda: now)
    await election.acquire()
    assert election.holds()
    now += 9.9
    assert election.holds()
    now += 0.1
    assert not election.holds()
    user.client.may_write = election.holds
    with pytest.raises(FencedError):
        await user.client.apply({"kind": "ConfigMap", "metadata": {"name": "a", "namespace": user.namespace}})
    now += 6
    other = Election(user.client, user.namespace, "lease", "other", clock=lambda: 2 * now)
    assert not await other._attempt(), "seen for the first time, so held"
    now += 16
    await other.acquire()
    with pytest.raises(LeaseLostError, match="other holds"):
        await election.keep()


async def test_a_released_lease_is_free_at_once(user: User) -> None:
    mine = Election(user.client, user.namespace, "lease", "me")
    other = Election(user.client, user.namespace, "lease", "other")
    await mine.acquire()
    assert not await other._attempt()
    await mine.release()
    assert not mine.holds()
    assert await other._attempt()
    lease = await user.get("Lease", "lease")
    assert lease
    assert lease["spec"]["holderIdentity"] == "other"
    assert lease["spec"]["leaseTransitions"] == 1
