"""The attempts of a training run: what is tried again, what is final."""

import pytest

from modelyard.contract.results import FailureResult
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.retry import pause
from tests.unit.plan.builders import Built, dataset, digest, ready_dataset, training_job, unready_dataset
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.test_training import running, simulation, succeeded, task_of, trained

GPU_NEEDED = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: 0/1 nodes are available."
NO_STORE = FailureResult(blame="world", reason="StoreUnavailable", message="the store does not answer")
EXIT_3 = FailureResult(blame="user", reason="UserError", message="train.py failed: KeyError: 'price'", exit_code=3)


def test_an_accelerator_is_asked_for_and_its_absence_is_named() -> None:
    it = simulation(training_job().spec(resources={"limits": {"nvidia.com/gpu": "1"}}))
    it.settle()
    it.pod(lambda p: p.condition("PodScheduled", "False", "Unschedulable", GPU_NEEDED))
    it.settle()
    assert it.told() == ("False", "Unschedulable")
    assert "no node has nvidia.com/gpu: 1 free; it starts by itself" in it.condition("Ready")["message"]
    assert it.told("Stalled")[0] == "False"
    it.pass_time(86400 * 3)  # waiting is not counted
    it.settle()
    assert it.status["phase"] == "Starting"
    it.finish(trained())
    it.settle()
    assert it.status["phase"] == "Succeeded"


@pytest.mark.parametrize("base", ["1s", "10s", "999999999d"])
def test_pauses_between_attempts_double_up_to_five_minutes(base: str) -> None:
    pauses = [pause(base, attempt).total_seconds() for attempt in range(1, 52)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 300


def test_a_failing_script_is_final_and_names_its_exit_code() -> None:
    it = running()
    it.finish(EXIT_3, exit_code=1)
    it.settle()
    assert (it.status["phase"], it.status["attempt"]) == ("Failed", 1)
    assert it.told() == ("False", "UserError")
    assert "exit code 3" in it.condition("Stalled")["message"]
    assert it.told("Approved")[0] == "False"
    it.pass_time(86400)
    assert it.settle().apply == ()


def test_failures_of_the_world_are_tried_again_with_growing_pauses() -> None:
    it = running(training_job().spec(failurePolicy={"maxRestarts": 2, "backoff": "10s"}))
    for attempt, wait in ((1, 10), (2, 20)):
        it.finish(NO_STORE, exit_code=1)
        assert it.settle().requeue_after == pytest.approx(wait, abs=1)
        assert (it.status["phase"], it.status["attempt"]) == ("BackingOff", attempt)
        assert it.told() == ("False", "BackingOff")
        it.pass_time(wait + 1)
        it.settle()
        assert it.status["attempt"] == attempt + 1
        assert it.jobs() == [it.status["job"]]
    it.finish(NO_STORE, exit_code=1)
    it.settle()
    assert it.status["phase"] == "Failed"
    assert "after 3 attempts" in it.condition("Ready")["message"]


def test_the_next_attempt_stays_where_another_leaders_clock_is_behind() -> None:
    it = running(training_job().spec(failurePolicy={"maxRestarts": 2, "backoff": "10s"}))
    it.finish(NO_STORE, exit_code=1)
    it.settle()
    it.pass_time(10)
    it.step(losing=["status"])
    it.pass_time(-2)
    it.settle()
    it.pass_time(2)
    it.settle()
    assert (it.status["attempt"], it.made.count(it.status["job"])) == (2, 1)
    assert it.jobs() == [it.status["job"]]


def test_a_preempted_pod_is_tried_again_on_the_same_data() -> None:
    it = running()
    it.pod(lambda p: p.ended(143).condition("DisruptionTarget", "True", "PreemptionByScheduler"))
    it.related = [ready_dataset(version="c")]
    it.settle()
    assert "Preempted" in it.condition("Ready")["message"]
    it.pass_time(11)
    it.settle()
    assert (it.status["attempt"], task_of(it).attempt, task_of(it).dataset_digest) == (2, 2, digest("d"))


LOST = {"reason": "DeletionByTaintManager", "lastTransitionTime": "2026-03-01T11:30:00Z"}


def test_an_attempt_on_a_silent_node_is_followed_by_another_after_the_backoff() -> None:
    it = running(training_job().spec(failurePolicy={"maxRestarts": 1, "backoff": "10s"}))
    it.pod(lambda p: p.condition("DisruptionTarget", **LOST))
    it.settle()
    assert (it.status["phase"], it.status["retryAt"]) == ("BackingOff", "2026-03-01T12:00:10Z")
    it.pass_time(10)
    it.settle()
    assert (it.status["phase"], it.status["attempt"]) == ("Starting", 2)


def test_a_build_on_a_silent_node_is_followed_by_another_after_a_pause() -> None:
    it = Simulation(plan_dataset, dataset())
    it.settle()
    it.pod(lambda p: p.running().condition("DisruptionTarget", **LOST))
    it.settle()
    assert it.status["lastBuild"]["retryAt"] == "2026-03-01T12:00:10Z"
    it.pass_time(10)
    it.settle()
    assert it.status["lastBuild"]["attempt"] == 2


def test_a_missing_image_stalls_the_job_until_it_can_be_pulled() -> None:
    it = simulation()
    it.settle()
    it.pod(lambda p: p.waiting("ImagePullBackOff", "not found"))
    it.settle()
    assert it.told("Stalled") == ("True", "ImagePull")
    assert it.events[-1].type == "Warning"
    it.pod()
    it.settle()
    assert it.told("Stalled")[0] == "False"
    assert it.told() == ("False", "Training")


def test_a_changed_spec_stops_the_present_attempt() -> None:
    it = running()
    old = it.status["job"]
    it.resource = it.resource.spec(parameters={"depth": "3"})
    plan = it.step()
    assert old in [c["metadata"]["name"] for c in plan.delete]


@pytest.mark.parametrize("outcome", ["Succeeded", "Failed"])
def test_the_end_is_the_end_whatever_happens_to_the_children(outcome: str) -> None:
    it = succeeded() if outcome == "Succeeded" else running()
    if outcome == "Failed":
        it.finish(EXIT_3, exit_code=1)
        it.settle()
    it.children.clear()
    it.related = []
    assert it.settle().apply == ()
    assert it.status["phase"] == outcome


def test_a_job_deleted_under_way_is_made_again() -> None:
    it = running()
    it.delete("Job", it.status["job"])
    it.settle()
    assert it.jobs() == [it.status["job"]]
    assert (it.status["attempt"], it.status["phase"]) == (1, "Starting")


def test_a_lost_status_does_not_take_an_attempt_for_one_on_other_data() -> None:
    it = simulation()
    it.step(losing=["status"])
    it.related = [ready_dataset(version="c")]
    it.settle()
    assert it.status["datasetDigest"] == task_of(it).dataset_digest == digest("c")
    assert it.jobs() == [it.status["job"]]


@pytest.mark.parametrize(
    "related", [[unready_dataset()], []], ids=["data is looked for", "the Dataset is not known yet"]
)
def test_a_lost_status_leaves_the_attempt_at_work_while_its_data_is_waited_for(related: list[Built]) -> None:
    it = simulation(training_job().spec(recipe=None, script={"inline": "print()", "entryPoint": "train.py"}))
    it.step(losing=["status"])
    made = dict(it.children)
    assert {kind for kind, _ in made} == {"Job", "ConfigMap"}
    it.related = [*related]
    it.settle()
    assert it.told() == ("False", "WaitingForDataset")
    it.related = [ready_dataset()]
    it.settle()
    assert it.told() == ("False", "Starting")
    assert it.children == made


def test_an_attempt_of_another_spec_ends_while_data_is_waited_for() -> None:
    it = simulation()
    it.step(losing=["status"])
    it.related = [unready_dataset()]
    it.resource = it.resource.spec(parameters={"depth": "3"})
    it.settle()
    assert it.children == {}
