"""What the cache keeps of an object is what planners read, and no more."""

from typing import Any

from modelyard.plan.labels import APPLIED_HASH
from modelyard.runtime.trim import trimmed
from tests.unit.runtime.objects import dataset, pod

APPLIED = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "modelyard.dev/run": "1"}


def child(kind: str, **parts: Any) -> dict[str, Any]:
    return {**pod("c", "d"), "kind": kind, **parts}


def test_a_resource_of_ours_keeps_its_spec_status_and_words_to_us() -> None:
    given = dataset("d", spec={"transform": {"sql": "select 1"}}, status={"phase": "Ready"})
    given["metadata"] |= {"annotations": APPLIED, "managedFields": [{}], "ownerReferences": []}
    kept = trimmed(given)
    assert (kept["spec"], kept["status"]) == (given["spec"], given["status"])
    assert kept["metadata"]["annotations"] == {"modelyard.dev/run": "1"}
    assert not {"managedFields", "ownerReferences"} & set(kept["metadata"])


def test_a_job_keeps_whose_it_is() -> None:
    given = child("Job")
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "d-check", "uid": "u", "controller": True}
    given["metadata"] = {**given["metadata"], "ownerReferences": [owner]}
    assert trimmed(given)["metadata"]["ownerReferences"] == [{"kind": "CronJob", "uid": "u"}]


def test_a_job_keeps_no_template_and_a_config_map_no_data() -> None:
    assert trimmed(child("Job", spec={"template": {"spec": {}}}))["spec"] == {}
    assert "data" not in trimmed(child("ConfigMap", data={"task.json": "{}"}))


def test_a_deployment_keeps_how_many_pods_it_wants() -> None:
    assert trimmed(child("Deployment", spec={"replicas": 3, "template": {}}))["spec"] == {"replicas": 3}


def test_a_child_keeps_our_mark_of_its_annotations() -> None:
    given = child("Job")
    given["metadata"] = {**given["metadata"], "annotations": {APPLIED_HASH: "h", "modelyard.dev/task": "{...}"}}
    assert trimmed(given)["metadata"]["annotations"] == {APPLIED_HASH: "h"}


def test_a_pod_keeps_what_explains_why_it_does_not_run() -> None:
    volumes = [{"name": "s", "secret": {"secretName": "x"}}, {"name": "tmp", "emptyDir": {}}]
    container = {"name": "main", "image": "i", "resources": {"limits": {"memory": "1Gi"}}, "env": [{"name": "A"}]}
    given = child(
        "Pod", spec={"restartPolicy": "Never", "nodeName": "n", "volumes": volumes, "containers": [container]}
    )
    assert trimmed(given)["spec"] == {
        "restartPolicy": "Never",
        "nodeName": "n",
        "volumes": volumes[:1],
        "containers": [{"name": "main", "resources": {"limits": {"memory": "1Gi"}}}],
    }


def test_a_pod_keeps_the_limits_of_containers_beside_its_own_and_whether_they_stay() -> None:
    beside = {"name": "model", "image": "i", "restartPolicy": "Always", "resources": {"limits": {"memory": "9Gi"}}}
    given = child("Pod", spec={"containers": [{"name": "main"}], "initContainers": [beside]})
    kept = trimmed(given)["spec"]
    resources = {"limits": {"memory": "9Gi"}}
    assert kept["initContainers"] == [{"name": "model", "restartPolicy": "Always", "resources": resources}]
    assert "initContainers" not in trimmed(child("Pod", spec={"containers": [{"name": "main"}]}))["spec"]


def test_equal_words_of_two_objects_are_one() -> None:
    one, other = (trimmed(dataset("d", status={"phase": "".join(["Re", "ady"])})) for _ in range(2))
    assert one["status"]["phase"] is other["status"]["phase"]


def test_the_given_object_is_left_as_it_is() -> None:
    given = child("Job", spec={"template": {}})
    trimmed(given)
    assert given["spec"] == {"template": {}}
