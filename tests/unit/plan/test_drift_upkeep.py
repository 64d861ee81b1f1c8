"""Which Jobs of a monitor are kept, and which are deleted."""

from datetime import timedelta

import pytest

from modelyard.api.conditions import timestamp
from modelyard.contract.reasons import Reason
from modelyard.contract.results import CheckResult, FailureResult
from tests.unit.plan.monitored import check, checked, decay, ends, gate, gate_jobs, gating, world


def test_only_the_newest_gate_jobs_are_kept() -> None:
    w = gating()
    for _ in range(6):
        ends(w, gate_jobs(w)[-1], gate("InsufficientData"), "gate")
        w.run()
        w.pass_(300)
        w.run()
    assert [n.rsplit("-", 1)[-1] for n in gate_jobs(w)] == ["5", "6", "7"]


FAILED = FailureResult(blame="user", reason=Reason.USER_ERROR, message="exit code 3")


@pytest.mark.parametrize("result", [check("Stable"), FAILED], ids=["succeeded", "failed"])
def test_only_the_newest_checks_on_demand_are_kept(result: CheckResult | FailureResult) -> None:
    w = world()
    for i in range(5):
        w.resource = w.resource.annotated(run=str(i))
        w.run()
        (new,) = [n for n in w.names("Job") if ("Pod", f"{n}-0") not in w.children]
        w.pass_(60)
        ends(w, new, result)
        w.run()
    assert len(w.names("Job")) == 2


def test_a_result_that_is_not_yet_written_down_is_not_deleted() -> None:
    w = world()
    for i in range(4):
        w.resource = w.resource.annotated(run=str(i))
        w.run()
    for name in w.names("Job"):
        w.pass_(60)
        ends(w, name, check("Stable"))
    w.step(lose_status=True)
    assert len(w.names("Job")) == 4
    w.run()
    assert len(w.names("Job")) == 2


def test_checks_that_ended_in_the_same_second_are_told_apart() -> None:
    w = world()
    for i in range(5):
        w.resource = w.resource.annotated(run=str(i))
        w.run()
    for name in w.names("Job"):
        ends(w, name, check("Stable"))
    w.run()
    assert len(w.names("Job")) == 2


def test_a_check_of_the_cron_job_is_not_ours_to_delete() -> None:
    w = world()
    for _ in range(5):
        checked(w, check("Stable"))
    assert len(w.names("Job")) == 5


@pytest.mark.parametrize("result", [decay(), FAILED], ids=["succeeded", "failed"])
def test_a_check_of_a_monitor_of_that_name_that_is_gone_counts_for_nothing(
    result: CheckResult | FailureResult,
) -> None:
    w = world()
    w.pass_(60)
    before = w.condition("Ready")
    ends(w, "w-check-1", result)
    w.resource = w.resource.metadata(uid="another", creationTimestamp=timestamp(w.now + timedelta(seconds=1)))
    w.run()
    assert "lastCheck" not in w.status
    assert w.condition("Ready") == before
    checked(w, check("Stable"))
    assert w.status["lastCheck"]["verdict"] == "Stable"


def test_a_monitor_made_again_has_its_own_checks_on_demand() -> None:
    w = world()
    w.resource = w.resource.annotated(run="1")
    w.run()
    w.resource = w.resource.metadata(uid="another").holding({})
    w.run()
    assert len(w.names("Job")) == 2


@pytest.mark.parametrize("again", [False, True], ids=["its own", "of a former one"])
def test_whose_a_check_on_demand_is_tells_its_owner_and_no_clock(again: bool) -> None:
    """The API servers of a control plane have clocks of their own."""
    w = world()
    w.resource = w.resource.annotated(run="1")
    w.run()
    (name,) = w.names("Job")
    w.pass_(60)
    ends(w, name, decay())
    w.children["Job", name] = w.children["Job", name].metadata(creationTimestamp="2020-01-01T00:00:00Z")
    if again:
        w.resource = w.resource.metadata(uid="another").holding({})
    w.run()
    assert ("lastCheck" in w.status) != again
