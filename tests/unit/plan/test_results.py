"""How an attempt went, from a Job and its pod."""

from datetime import timedelta

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.results import GateResult
from modelyard.plan.plan import Object
from modelyard.plan.results import Attempt, read_attempt
from modelyard.plan.settings import Settings
from tests.unit.plan.builders import CREATED, NOW, job, observed, pod

JOB = job("j")
RESULT = GateResult(verdict="Promote", metric="accuracy", rows=5, message="better")
POD = pod("j-0-abc").in_job(JOB)
LATER = NOW + timedelta(minutes=10)


def read(*children: Object, now: object = NOW) -> Attempt:
    return read_attempt(observed(JOB, *children), JOB, NOW if now is NOW else LATER, Settings())


def test_no_job_is_no_attempt() -> None:
    assert read_attempt(observed(), None, NOW, Settings()).state == "Absent"


def test_a_job_without_a_pod_is_pending_and_after_a_while_suspected_of_a_quota() -> None:
    young = job("j").metadata(creationTimestamp="2026-03-01T11:59:50Z")
    attempt = read_attempt(observed(), young, NOW, Settings())
    assert (attempt.state, attempt.failure) == ("Pending", None)
    old = read_attempt(observed(), young, LATER, Settings())
    assert old.state == "Pending"
    assert old.failure is not None
    assert old.failure.reason == Reason.QUOTA_EXCEEDED


def test_a_running_pod_is_polled() -> None:
    attempt = read(POD.running())
    assert (attempt.state, attempt.poll) == ("Running", ("j-0-abc",))


@pytest.mark.parametrize("seen", [POD, POD.waiting("ImagePullBackOff"), POD.ended(0, RESULT.canonical())])
def test_only_a_running_pod_is_polled(seen: Object) -> None:
    assert read(seen).poll == ()


def test_the_result_is_read_as_soon_as_the_container_ended() -> None:
    attempt = read(POD.ended(0, RESULT.canonical()).status(phase="Running"))
    assert (attempt.state, attempt.result) == ("Succeeded", RESULT)
    assert attempt.ended_at == "2026-03-01T11:59:00Z"


def test_a_result_counts_even_if_a_later_pod_failed() -> None:
    other = pod("j-0-xyz").in_job(JOB).metadata(creationTimestamp="2026-03-01T12:00:00Z").ended(1)
    assert read(POD.ended(0, RESULT.canonical()), other).state == "Succeeded"


def test_a_result_with_a_bad_exit_code_does_not_count() -> None:
    assert read(POD.ended(1, RESULT.canonical())).state == "Failed"


def test_the_newest_pod_decides_otherwise() -> None:
    other = pod("j-0-aaa").in_job(JOB).metadata(creationTimestamp="2026-03-01T12:00:00Z").running()
    assert read(POD.ended(1), other).pod == "j-0-aaa"


def test_success_without_a_result_is_the_images_fault() -> None:
    attempt = read(POD.ended(0, "all good"))
    assert attempt.failure is not None
    assert (attempt.state, attempt.failure.blame) == ("Failed", "user")
    assert "entry point" in attempt.failure.message


def test_a_pod_that_cannot_start_is_pending_with_the_cause() -> None:
    attempt = read(POD.waiting("ErrImagePull", "not found"))
    assert attempt.failure is not None
    assert (attempt.state, attempt.failure.reason) == ("Pending", Reason.IMAGE_PULL)


def test_a_failed_pod_that_says_nothing_is_tried_again() -> None:
    attempt = read(POD.status(phase="Failed"))
    assert attempt.failure is not None
    assert (attempt.state, attempt.failure.blame) == ("Failed", "world")


def test_a_removed_pod_of_a_finished_job_is_tried_again() -> None:
    for condition in ("Complete", "Failed"):
        done = job("j").condition(condition, lastTransitionTime="2026-03-01T11:58:00Z")
        attempt = read_attempt(observed(done), done, NOW, Settings())
        assert attempt.failure is not None
        assert (attempt.state, attempt.failure.blame) == ("Failed", "world")
        assert attempt.ended_at == "2026-03-01T11:58:00Z"


@pytest.mark.parametrize("pods", [(), (POD,), (POD.running(),)])
def test_of_a_job_that_has_ended_before_its_pod_the_pods_are_read_before_anything_follows(pods: tuple[Object]) -> None:
    done = JOB.condition("Failed", lastTransitionTime="2026-03-01T11:58:00Z")
    attempt = read_attempt(observed(done, *pods, pods_read=False), done, NOW, Settings())
    assert (attempt.state, attempt.failure, attempt.inquiry.about) == ("Running", None, (done,))
    assert read_attempt(observed(done, *pods), done, NOW, Settings()).inquiry.about != (done,)


def test_the_result_of_a_job_that_has_ended_is_taken_at_once() -> None:
    done = JOB.condition("Complete", lastTransitionTime="2026-03-01T11:58:00Z")
    attempt = read_attempt(observed(done, POD.ended(0, RESULT.canonical()), pods_read=False), done, NOW, Settings())
    assert (attempt.state, attempt.inquiry.about) == ("Succeeded", ())


def test_a_silent_node_ends_the_attempt_although_its_pod_seems_to_run() -> None:
    attempt = read(POD.running().condition("DisruptionTarget", "True", "DeletionByTaintManager"))
    assert attempt.failure is not None
    assert (attempt.state, attempt.failure.reason) == ("Failed", Reason.NODE_LOST)


def test_an_attempt_on_a_silent_node_ended_when_its_pod_was_given_up() -> None:
    gone = {"reason": "DeletionByTaintManager", "lastTransitionTime": "2026-03-01T11:57:00Z"}
    assert read(POD.running().condition("DisruptionTarget", **gone)).ended_at == "2026-03-01T11:57:00Z"
    assert read(POD.ended(143).condition("DisruptionTarget", **gone)).ended_at == CREATED
    late = JOB.condition("Failed", lastTransitionTime="2026-03-01T11:58:00Z")
    lost = POD.running().condition("DisruptionTarget", **gone)
    attempt = read_attempt(observed(late, lost), late, NOW, Settings())
    assert attempt.ended_at == "2026-03-01T11:57:00Z"


def test_pods_of_other_jobs_are_not_looked_at() -> None:
    stranger = pod("k-0").in_job(job("k")).ended(1)
    assert read(stranger, POD.running()).state == "Running"
