"""Events tell transitions, once, and not every retry."""

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult
from modelyard.plan.announce import transitions
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.training import plan_training
from tests.unit.plan import endpoints
from tests.unit.plan.builders import dataset, ready_dataset, training_job
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.test_training import trained

NO_STORE = FailureResult(blame="world", reason="StoreUnavailable", message="the store does not answer")
NODE = FailureResult(blame="world", reason="NodeLost", message="the node is gone")


def told(it: Simulation) -> list[Reason]:
    return [event.reason for event in it.events]


def fail(it: Simulation, result: FailureResult) -> None:
    """The attempt under way fails, and the next one, if there is one, runs."""
    it.pod()
    it.settle()
    it.finish(result, exit_code=1)
    it.settle()
    it.pass_time(301)
    it.settle()


def of_training() -> Simulation:
    job = training_job().spec(failurePolicy={"maxRestarts": 4, "backoff": "1s"})
    return Simulation(plan_training, job, ready_dataset())


@pytest.mark.parametrize(
    "make", [of_training, lambda: Simulation(plan_dataset, dataset())], ids=["training", "dataset"]
)
def test_a_failure_that_is_tried_again_is_told_once_and_its_end_once(make: object) -> None:
    it: Simulation = make()  # type: ignore[operator]
    it.settle()
    begun = len(it.events)
    for _ in range(3):
        fail(it, NO_STORE)
    assert told(it)[begun:] == [Reason.BACKING_OFF]
    for _ in range(3):
        fail(it, NO_STORE)
    assert it.status["phase"] == "Failed"
    assert told(it).count(Reason.BACKING_OFF) == 1
    assert (it.events[-1].reason, it.events[-1].type) == (Reason.STORE_UNAVAILABLE, "Warning")
    assert told(it).count(Reason.STORE_UNAVAILABLE) == 1


def test_another_failure_is_another_event_and_so_is_success() -> None:
    it = of_training()
    it.settle()
    fail(it, NO_STORE)
    fail(it, NO_STORE)
    fail(it, NODE)
    fail(it, NODE)
    it.finish(trained())
    it.settle()
    assert told(it) == [Reason.BACKING_OFF, Reason.BACKING_OFF, Reason.SUCCEEDED]
    first, second = it.events[:2]
    assert "attempt 1 failed: StoreUnavailable: the store does not answer" in first.message
    assert first.message.endswith("(see docs/reasons/StoreUnavailable.md)")
    assert "attempt 3 failed: NodeLost: the node is gone" in second.message
    assert second.message.endswith("(see docs/reasons/NodeLost.md)")


def test_a_server_that_is_started_again_and_again_is_told_of_once() -> None:
    w = endpoints.world()
    w.run()
    w.events.clear()
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": "ValueError: bad"}}
    back_off = {"waiting": {"reason": "CrashLoopBackOff"}}
    running = {"running": {"startedAt": "2026-03-01T12:00:00Z"}}
    for restarts in range(3):
        for state, last in ((ended, {}), (back_off, ended), (running, ended)):
            tries = restarts + (state is running)
            endpoints.broken(w, "m-aaaaaaaa", state=state, lastState=last, restartCount=tries)
            w.run()
            assert w.condition("Ready") == ("False", "CrashLoop")
    assert [event.reason for event in w.events] == [Reason.CRASH_LOOP]


def test_the_same_state_is_no_transition() -> None:
    conditions = [{"type": "Ready", "status": "False", "reason": "RollingOut", "message": "weight 10"}]
    assert [e.reason for e in transitions([], conditions)] == [Reason.ROLLING_OUT]
    assert transitions(conditions, [{**conditions[0], "message": "still"}]) == ()


@pytest.mark.parametrize("reason", [Reason.PENDING, Reason.STARTING, Reason.BUILDING, Reason.TRAINING])
def test_what_conditions_show_while_it_lasts_is_not_told(reason: Reason) -> None:
    assert transitions([], [{"type": "Ready", "status": "False", "reason": str(reason), "message": "a"}]) == ()


def test_needing_a_person_is_a_transition_of_its_own() -> None:
    ready = {"type": "Ready", "status": "False", "reason": "ImagePull", "message": "registry down"}
    calm, stalled = ({"type": "Stalled", "status": s, "reason": "ImagePull", "message": ""} for s in ("False", "True"))
    (event,) = transitions([ready, calm], [ready, stalled])
    assert event.type == "Warning"
