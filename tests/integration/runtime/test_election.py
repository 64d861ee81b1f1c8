"""Two replicas as processes: one acts, and when it ends, in whatever way, the other does."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.runtime.election import Election, LeaseLostError
from modelyard.runtime.fence import FencedError
from tests.cluster.waiting import until
from tests.integration.runtime.cluster import User
from tests.integration.runtime.replicas import Replica, leading, standing_by

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
def replicas(user: User, tmp_path: Path) -> Iterator[tuple[Replica, Replica]]:
    """The leader, and a standby that is ready."""
    with (
        leading(Replica("first", user.namespace, tmp_path)) as first,
        standing_by(Replica("second", user.namespace, tmp_path)) as second,
    ):
        yield first, second


async def test_a_standby_is_warm_and_writes_nothing(user: User, tmp_path: Path) -> None:
    with leading(Replica("first", user.namespace, tmp_path)) as leader:
        await user.dataset("one", "a")
        await user.ready("one")
        with standing_by(Replica("second", user.namespace, tmp_path)) as standby:
            assert standby.page("/healthz") == "ok\n"
            assert standby.metric("modelyard_leader") == 0
            assert standby.metric("modelyard_cached_objects") == 3  # the Dataset and its children
            await user.dataset("two", "a")
            await user.ready("two")
            until(lambda: standby.metric("workqueue_depth") == 2, "the standby has seen the new one, too", 10)
            assert (leader.leads(), standby.writes()) == (True, 0)


async def test_one_acts_and_a_killed_leader_is_replaced(user: User, replicas: tuple[Replica, Replica]) -> None:
    leader, standby = replicas
    await user.dataset("one", "a")
    await user.ready("one")
    assert leader.writes() > 0
    assert standby.writes() == 0
    leader.process.kill()
    killed = time.monotonic()
    await user.dataset("two", "a")
    await user.ready("two", within=30)
    took = time.monotonic() - killed
    print(f"a change was acted on after {took:.1f} s")
    assert took <= 25
    assert standby.leads()


async def test_a_leader_that_is_told_to_stop_hands_over_at_once(user: User, replicas: tuple[Replica, Replica]) -> None:
    leader, standby = replicas
    await user.dataset("one", "a")
    await user.ready("one")
    leader.process.terminate()
    told = time.monotonic()
    await user.dataset("two", "a")
    await user.ready("two")
    took = time.monotonic() - told
    print(f"a change was acted on after {took:.1f} s")
    assert took <= 10, "it waited for the lease to run out"
    assert standby.leads()
    assert leader.process.wait(timeout=10) == 0


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
