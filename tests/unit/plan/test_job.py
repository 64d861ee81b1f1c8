"""The Job of one attempt."""

from modelyard.plan.job import job
from modelyard.plan.labels import owner_of
from modelyard.plan.plan import Key
from modelyard.plan.pods import TaskPod
from modelyard.plan.settings import Settings
from tests.unit.plan.builders import training_job

JOB = job(training_job("t"), "t-1", "attempt", TaskPod("i", "c"), 60, Settings())


def test_a_job_is_one_pod_that_kubernetes_never_replaces() -> None:
    spec = JOB["spec"]
    assert (spec["completions"], spec["parallelism"], spec["backoffLimit"]) == (1, 1, 0)
    assert spec["completionMode"] == "Indexed"
    assert spec["podReplacementPolicy"] == "Failed"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_the_deadline_counts_from_the_pods_start_on_a_node() -> None:
    assert JOB["spec"]["template"]["spec"]["activeDeadlineSeconds"] == 60
    assert "activeDeadlineSeconds" not in JOB["spec"]


def test_job_and_pod_are_found_by_the_labels_of_their_resource() -> None:
    pod = {"kind": "Pod", "metadata": {"namespace": "ns", **JOB["spec"]["template"]["metadata"]}}
    assert owner_of(JOB) == owner_of(pod) == Key("TrainingJob", "ns", "t")
    assert JOB["metadata"]["ownerReferences"][0]["name"] == "t"


def test_a_finished_job_is_kept_until_its_result_was_read() -> None:
    assert "ttlSecondsAfterFinished" not in JOB["spec"]
