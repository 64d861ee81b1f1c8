"""What is wrong with a pod, in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.reasons import Reason
from modelyard.contract.wording import LIMIT
from modelyard.plan.failure import of_job
from modelyard.plan.startup import classify, slow
from tests.unit.plan.builders import NOW, Built, job, pod
from tests.unit.plan.pod_statuses import CASES, told, unschedulable


@pytest.mark.parametrize(("seen", "reason", "blame", "over", "part"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_pods_status_is_told_in_plain_words(seen: Built, reason: Reason, blame: str, over: bool, part: str) -> None:
    failure = classify(seen)
    assert failure is not None
    assert (failure.reason, failure.blame, failure.ended) == (reason, blame, over)
    assert part in failure.message
    assert len(failure.message) <= LIMIT


@pytest.mark.parametrize(
    "seen",
    [
        pod(),
        pod().waiting("ContainerCreating"),
        pod().waiting("PodInitializing"),
        pod().running(),
        pod().running().condition("PodScheduled"),
        pod().ended(0, "{}"),
        pod().ended(0).condition("DisruptionTarget", "True", "EvictionByEvictionAPI"),
    ],
    ids=["new", "creating", "initializing", "running", "scheduled", "succeeded", "succeeded while drained"],
)
def test_a_pod_on_its_way_has_no_failure(seen: Built) -> None:
    assert classify(seen) is None


def test_the_clusters_word_goes_before_the_pods_own() -> None:
    """A pod that is stopped says that it was stopped; only the cluster knows why."""
    stopped_pod = told("world", "Evicted", "the pod was stopped before its task was done", code=143)
    for seen, reason in (
        (stopped_pod.condition("DisruptionTarget", "True", "PreemptionByScheduler"), Reason.PREEMPTED),
        (stopped_pod.status(reason="DeadlineExceeded"), Reason.DEADLINE_EXCEEDED),
    ):
        failure = classify(seen)
        assert failure is not None
        assert failure.reason == reason


@given(st.text(max_size=2000), st.integers(1, 255))
def test_no_message_breaks_the_classifier_or_its_bound(said: str, code: int) -> None:
    for seen in (pod().ended(code, said), pod().waiting("CreateContainerConfigError", said), unschedulable(said)):
        failure = classify(seen)
        assert failure is not None
        assert len(failure.message) <= LIMIT
        assert "\n" not in failure.message


def test_a_pod_that_waits_for_a_volume_names_what_may_be_missing() -> None:
    seen = pod().waiting("ContainerCreating").condition("PodScheduled", lastTransitionTime="2026-03-01T11:50:00Z")
    seen = seen.spec(
        volumes=[
            {"name": "code", "configMap": {"name": "my-code"}},
            {"name": "lake", "secret": {"secretName": "lake-credentials"}},
            {"name": "tmp", "emptyDir": {}},
        ]
    )
    assert slow(seen, NOW, patience=3600) is None
    failure = slow(seen, NOW, patience=300)
    assert failure is not None
    assert "ConfigMap my-code, Secret lake-credentials" in failure.message
    assert not failure.ended


def test_a_job_over_its_deadline_is_the_users_to_mend() -> None:
    failure = of_job(job("j").condition("Failed", reason="DeadlineExceeded"))
    assert failure is not None
    assert (failure.reason, failure.blame) == (Reason.DEADLINE_EXCEEDED, "user")


def test_a_failed_job_without_a_pod_is_tried_again() -> None:
    failure = of_job(job("j").condition("Failed", reason="BackoffLimitExceeded"))
    assert failure is not None
    assert (failure.reason, failure.blame) == (Reason.EVICTED, "world")
    assert of_job(job("j")) is None
