"""Which run of a retraining a verdict of its monitor is about."""

from modelyard.contract.reasons import Reason
from tests.unit.plan.builders import Built, monitor, ready_dataset
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.test_training import retrained, simulation, succeeded, trained


def judge() -> Built:
    verdict = {"trainingJob": "t-r-1", "promoted": True, "at": "2026-03-01T12:30:00Z", "message": "by 0.03"}
    return monitor().status(history=[verdict])


def finished(it: Simulation) -> Simulation:
    it.settle()
    it.finish(trained())
    it.settle()
    return it


def test_a_changed_spec_of_a_promoted_job_is_not_approved_by_the_old_verdict() -> None:
    it = succeeded(retrained())
    it.related = [ready_dataset(), judge()]
    it.settle()
    assert it.told("Approved") == ("True", Reason.PROMOTED)
    it.pass_time(3600)
    it.resource = it.resource.spec(deadline="1h").metadata(generation=2)
    finished(it)
    assert it.status["phase"] == "Succeeded"
    assert it.told("Approved") == ("Unknown", Reason.GATING)
    assert it.condition("Approved")["message"] == "DriftMonitor w judged an earlier run only"


def test_a_job_made_again_is_not_approved_by_the_verdict_about_the_first() -> None:
    it = simulation(retrained().metadata(uid="again"), ready_dataset(), judge())
    it.pass_time(3600)
    assert finished(it).told("Approved") == ("Unknown", Reason.GATING)


def test_a_run_that_did_not_keep_its_start_is_judged_since_its_job_was_made() -> None:
    it = succeeded(retrained())
    del it.resource["status"]["startedAt"]
    it.related = [judge()]
    it.settle()
    assert it.told("Approved") == ("True", Reason.PROMOTED)
