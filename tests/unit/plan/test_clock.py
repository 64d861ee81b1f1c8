"""Clocks that jump, and time in which nobody was there: what was missed is made up for once, and nothing waits long."""

from datetime import timedelta

import pytest

from modelyard.api.conditions import timestamp
from modelyard.contract.results import FailureResult
from modelyard.plan.training import plan_training
from tests.unit.plan.builders import dataset, ready_dataset, training_job
from tests.unit.plan.endpoints import rolling, step
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.test_dataset import built, result, world
from tests.unit.plan.test_refresh import waiting

DAY = 86400
NO_STORE = FailureResult(blame="world", reason="StoreUnavailable", message="the store does not answer")
POLLED = {"trigger": "OnSourceChange", "poll": "15m"}


def polled(it: Simulation) -> int:
    """How many builds follow until nothing more is wanted."""
    before = int(it.status["lastBuild"]["number"])
    for _ in range(5):
        it.settle()
        if it.status["lastBuild"].get("finishedAt"):
            break
        it.finish(result("a", "Unchanged", checked_at=timestamp(it.now)))
        it.settle()
    return int(it.status["lastBuild"]["number"]) - before


def test_polls_that_were_missed_are_made_up_for_by_one() -> None:
    it = built(dataset().spec(refresh=POLLED))
    it.pass_time(3 * DAY)
    assert polled(it) == 1
    assert it.settle().requeue_after == pytest.approx(900, abs=60)


@pytest.mark.parametrize("seconds", [-DAY, -365 * DAY])
def test_a_clock_that_is_set_back_stops_no_polls(seconds: int) -> None:
    it = built(dataset().spec(refresh=POLLED))
    it.pass_time(seconds)
    assert polled(it) == 1
    assert it.settle().requeue_after == pytest.approx(900, abs=60)


def end_ahead(it: Simulation) -> None:
    """The build's pod ends on a node whose clock is ahead by a day."""
    ahead = timestamp(it.now + timedelta(days=1))
    done = result("a", "Unchanged", checked_at=ahead)
    it.pod(lambda pod: pod.ended(0, done.canonical(), at=ahead))
    it.settle()


def test_a_node_whose_clock_is_ahead_causes_no_more_polls() -> None:
    it = built(dataset().spec(refresh=POLLED))
    it.pass_time(1000)
    it.settle()
    end_ahead(it)
    assert it.status["lastBuild"]["finishedAt"] == it.status["checkedAt"] == timestamp(it.now)
    it.pass_time(5)
    plan = it.settle()
    assert (plan.apply, it.status["lastBuild"]["number"]) == ((), 2)
    assert plan.requeue_after == pytest.approx(900, abs=60)


def test_what_a_node_whose_clock_is_ahead_has_looked_at_does_not_stay_fresh() -> None:
    it = built(dataset().annotated(run="1"))
    it.resource = it.resource.annotated(run="2")
    it.settle()
    end_ahead(it)
    it.pass_time(3600)
    it.related = [waiting(timestamp(it.now))]
    it.settle()
    assert it.status["lastBuild"]["request"] == f"after:{timestamp(it.now)}"


@pytest.mark.parametrize("seconds", [-1, -600])
def test_clocks_that_differ_a_little_cause_no_polls(seconds: int) -> None:
    it = built(dataset().spec(refresh=POLLED))
    it.pass_time(seconds)
    assert polled(it) == 0


@pytest.mark.parametrize("kind", ["Dataset", "TrainingJob"])
@pytest.mark.parametrize("seconds", [-DAY, DAY])
def test_after_a_jump_a_retry_begins_once_and_at_once(kind: str, seconds: int) -> None:
    it = world() if kind == "Dataset" else Simulation(plan_training, training_job(), ready_dataset())
    it.settle()
    it.finish(NO_STORE, exit_code=1)
    it.settle()
    assert it.status["phase"] == "BackingOff"
    it.pass_time(seconds)
    it.settle()
    attempt = it.status["lastBuild"]["attempt"] if kind == "Dataset" else it.status["attempt"]
    assert attempt == 2
    assert it.status["phase"] != "BackingOff"


def test_a_clock_set_back_amid_a_step_stops_no_rollout() -> None:
    w = rolling()
    w.pass_(-365 * DAY)
    w.run()
    for _ in range(10):
        step(w, 60, requests=100)
    assert w.status["stable"]["revision"] == "bbbbbbbb"


def test_a_clock_set_back_after_a_promotion_keeps_no_old_servers() -> None:
    w = rolling()
    step(w, 30, requests=10)
    step(w, 30, requests=10)
    assert w.status["stable"]["revision"] == "bbbbbbbb"
    w.pass_(-365 * DAY)
    for _ in range(3):
        step(w, 600, requests=0)
    assert w.names("Deployment") == ["m-bbbbbbbb"]


def test_a_leaders_clock_that_was_a_little_ahead_ends_no_drain() -> None:
    w = rolling()
    step(w, 30, requests=10)
    step(w, 30, requests=10)
    w.pass_(-3)
    w.run()
    assert "m-aaaaaaaa" in w.names("Deployment")
