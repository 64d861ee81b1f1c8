"""spec.suspend of data and training: what runs is stopped, nothing is lost, and it goes on afterwards."""

from typing import Any

import pytest

from modelyard.contract.results import FailureResult
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.training import plan_training
from tests.unit.plan.builders import dataset, digest, ready_dataset, training_job
from tests.unit.plan.simulation import STATUS, Simulation
from tests.unit.plan.suspending import assert_suspended, conditions, resume, suspend
from tests.unit.plan.test_planning_properties import BAD_SQL, NO_STORE, TRAINED, built

CREATED = [
    Simulation(plan_dataset, dataset().spec(suspend=True)),
    Simulation(plan_training, training_job().spec(suspend=True), ready_dataset()),
]


@pytest.mark.parametrize("it", CREATED, ids=["Dataset", "TrainingJob"])
def test_what_is_created_suspended_starts_nothing(it: Simulation) -> None:
    plan = it.settle()
    assert (plan.apply, plan.delete, plan.poll, plan.requeue_after) == ((), (), (), None)
    assert_suspended(it.status)
    assert [e.reason for e in it.events] == ["Suspended"]


def dataset_at_rest() -> Simulation:
    it = Simulation(plan_dataset, dataset().spec(refresh={"trigger": "OnSourceChange", "poll": "15m"}))
    it.settle()
    it.finish(built("Promoted"))
    it.settle()
    return it


def test_a_suspended_dataset_stops_its_build_and_keeps_its_version() -> None:
    it = dataset_at_rest()
    it.resource = it.resource.spec(transform={"sql": "select 2"})
    it.settle()
    it.pod()
    suspend(it)
    it.settle()
    assert it.children == {}
    assert it.status["current"]["digest"] == digest("a")
    assert_suspended(it.status)
    resume(it)
    it.settle()
    assert (it.status["phase"], it.status["lastBuild"]["attempt"], len(it.jobs())) == ("Building", 1, 1)
    it.finish(built("Promoted"))
    it.settle()
    assert it.told() == ("True", "UpToDate")


def test_a_suspended_dataset_looks_for_nothing() -> None:
    it = dataset_at_rest()
    suspend(it)
    it.settle()
    it.pass_time(10**6)
    it.resource = it.resource.annotated(run="now").spec(transform={"sql": "select 3"})
    it.related = [training_job().spec(datasetRef={"name": "d", "checkedAfter": "2026-03-02T00:00:00Z"})]
    plan = it.settle()
    assert (plan.apply, plan.requeue_after) == ((), None)
    assert it.status.get("run", "") == ""
    resume(it)
    it.settle()
    assert len(it.jobs()) == 1
    assert it.status["run"] == "now"


def test_a_version_that_was_published_before_its_build_was_stopped_is_not_lost() -> None:
    it = Simulation(plan_dataset, dataset())
    it.settle()
    it.finish(built("Promoted"))
    suspend(it)
    it.settle()
    assert it.status["current"]["digest"] == digest("a")
    assert_suspended(it.status)
    resume(it)
    assert it.settle().apply == ()
    assert it.told() == ("True", "Ready")


@pytest.mark.parametrize("result", [built("Promoted"), built("Quarantined"), BAD_SQL, NO_STORE])
@pytest.mark.parametrize("usable", [True, False])
def test_a_resumed_dataset_stands_as_it_stood(result: Any, usable: bool) -> None:
    it = dataset_at_rest() if usable else Simulation(plan_dataset, dataset())
    it.resource = it.resource.spec(transform={"sql": "select 2"}, refresh={"trigger": "Manual"})
    it.settle()
    it.finish(result, exit_code=1 if isinstance(result, FailureResult) else 0)
    it.settle()
    before = it.status
    suspend(it)
    it.settle()
    assert_suspended(it.status)
    resume(it)
    it.settle()
    assert it.status == before


def test_a_job_that_waits_suspended_asks_for_no_build() -> None:
    it = dataset_at_rest()
    it.related = [training_job().spec(datasetRef={"name": "d", "checkedAfter": "2026-03-02T00:00:00Z"}, suspend=True)]
    assert it.settle().apply == ()


def training(**policy: Any) -> Simulation:
    it = Simulation(plan_training, training_job().spec(failurePolicy=policy), ready_dataset(version="b"))
    it.settle()
    return it


def test_a_suspended_run_goes_on_with_a_new_attempt_on_the_same_data() -> None:
    it = training()
    it.pod()
    run, pinned = it.status["run"], it.status["datasetDigest"]
    suspend(it)
    it.settle()
    assert it.children == {}
    assert_suspended(it.status)
    it.related = [ready_dataset(version="c")]
    resume(it)
    it.settle()
    assert (it.status["run"], it.status["datasetDigest"]) == (run, pinned)
    assert (it.status["attempt"], it.status["phase"]) == (2, "Starting")
    assert "Suspended" not in conditions(it.status)
    it.finish(TRAINED)
    it.settle()
    assert it.told() == ("True", "Succeeded")


def test_suspending_costs_no_retry() -> None:
    it = training(maxRestarts=1, backoff="1s")
    for _ in range(5):
        suspend(it)
        it.settle()
        resume(it)
        it.settle()
    it.finish(NO_STORE, 1)
    it.settle()
    assert (it.status["phase"], it.status["attempt"], it.status["suspendedAttempts"]) == ("BackingOff", 6, 5)
    it.pass_time(2)
    it.settle()
    it.finish(NO_STORE, 1)
    it.settle()
    assert (it.status["phase"], it.status["attempt"]) == ("Failed", 7)


def test_a_stop_whose_status_was_lost_is_counted_once() -> None:
    it = training()
    it.pod()
    suspend(it)
    it.step(losing=[STATUS])
    assert it.jobs() == []
    it.settle()
    assert it.status["suspendedAttempts"] == 1
    resume(it)
    it.step(losing=[STATUS])
    it.settle()
    assert (it.status["attempt"], len(it.jobs())) == (2, 1)


def test_a_run_suspended_between_attempts_keeps_its_failure_and_its_log() -> None:
    it = training(maxRestarts=1)
    it.finish(NO_STORE, 1)
    it.settle()
    (job,) = it.jobs()
    suspend(it)
    it.settle()
    assert it.jobs() == [job]
    assert it.status["suspendedAttempts"] == 0
    assert_suspended(it.status)
    resume(it)
    it.settle()
    assert it.status["attempt"] == 2
    it.finish(NO_STORE, 1)
    it.settle()
    assert it.status["phase"] == "Failed"


@pytest.mark.parametrize(
    ("result", "exit_code", "phase"), [(TRAINED, 0, "Succeeded"), (BAD_SQL, 1, "Failed")], ids=["trained", "failed"]
)
def test_a_run_that_has_ended_is_not_touched(result: Any, exit_code: int, phase: str) -> None:
    it = training()
    it.finish(result, exit_code)
    suspend(it)  # the operator sees the end and the wish at once
    it.settle()
    ended = it.status
    assert ended["phase"] == phase
    assert "Suspended" not in conditions(ended)
    resume(it)
    assert it.settle().apply == ()
    assert it.status == ended


def test_a_spec_changed_while_suspended_begins_its_run_afterwards() -> None:
    it = training()
    suspend(it)
    it.settle()
    it.resource = it.resource.spec(parameters={"max_iter": "5"})
    plan = it.settle()
    assert plan.apply == ()
    assert "datasetDigest" not in it.status
    resume(it)
    it.settle()
    assert (it.status["attempt"], it.status["suspendedAttempts"], it.status["datasetDigest"]) == (1, 0, digest("b"))


def test_a_run_waits_for_a_suspended_dataset_and_says_so() -> None:
    data = ready_dataset().condition("Suspended", reason="Suspended")
    fresh = training_job().spec(datasetRef={"name": "d", "checkedAfter": "2026-03-02T00:00:00Z"})
    suspended = data.condition("Ready", reason="Suspended", message="no build runs")
    it = Simulation(plan_training, fresh, suspended)
    it.settle()
    assert it.told() == ("False", "WaitingForDataset")
    assert "Suspended: no build runs" in it.condition("Ready")["message"]
