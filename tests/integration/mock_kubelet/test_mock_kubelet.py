"""Pods on a real API server, scheduler and controllers, played by the mock kubelet; a ConfigMap is their owner."""

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from modelyard.contract.progress import Routing, ServingStats
from modelyard.contract.results import DatasetResult, parse_result
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import DatasetTask, ServeTask, Task
from modelyard.plan.job import job
from modelyard.plan.labels import labels_for, owner_reference
from modelyard.plan.plan import Key
from modelyard.plan.pods import TaskPod, pod_template, task_config_map
from modelyard.plan.settings import Settings
from tests.cluster.controlplane import ControlPlane
from tests.cluster.mock_kubelet.answers import well
from tests.cluster.mock_kubelet.kubelet import MockKubelet
from tests.cluster.mock_kubelet.life import Life, Seen, evicted, image_missing, out_of_memory
from tests.cluster.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
SCRIPTS = {
    "evicted": Life(evicted()),
    "greedy": Life(out_of_memory()),
    "unpullable": Life(hindrance=image_missing()),
    "late": Life(hindrance=image_missing(seconds=3), ending=None),
    "endless": Life(),
    "crashing": Life(out_of_memory()),
}


def script(seen: Seen) -> Life:
    return SCRIPTS.get(seen.resource) or well(seen)


class Place:
    """A namespace of its own, what a test makes in it, and how it stands."""

    def __init__(self, plane: ControlPlane) -> None:
        self.api = plane.api
        self.namespace = f"mock-{uuid4().hex[:8]}"
        self.create("/api/v1/namespaces", {"metadata": {"name": self.namespace}})

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        code, made = self.api.call("POST", path, body)
        assert code == 201, made
        result: dict[str, Any] = made
        return result

    def at(self, group: str, plural: str, name: str = "") -> str:
        return f"{group}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def owner(self, name: str) -> dict[str, Any]:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": self.namespace}}
        return self.create(self.at("/api/v1", "configmaps"), body)

    def build(self, name: str, sql: str = "select 1") -> None:
        """The task and the Job of a build."""
        owner = self.owner(name)
        task = DatasetTask(namespace=self.namespace, name=name, store=StoreConfig(uri="s3://b"), sources=[], sql=sql)
        self.task(owner, f"{name}-build-1-abcd", task)
        made = job(owner, f"{name}-build-1-abcd", "build", TaskPod("i", f"{name}-build-1-abcd"), 60, Settings())
        self.create(self.at("/apis/batch/v1", "jobs"), made)

    def task(self, owner: dict[str, Any], name: str, task: Task) -> None:
        self.create(self.at("/api/v1", "configmaps"), task_config_map(owner, name, "build", task))

    def serve(self, name: str) -> None:
        """The task and the Deployment of two servers."""
        owner = self.owner(name)
        given = {"model_name": name, "training_job": "t", "model_digest": "sha256:0", "revision": "r"}
        store = StoreConfig(uri="s3://b")
        self.task(owner, f"{name}-r", ServeTask(namespace=self.namespace, name=name, store=store, **given))
        labels = labels_for(Key("ConfigMap", self.namespace, name), "server")
        pod = pod_template(TaskPod("i", f"{name}-r", restart_policy="Always"), labels, Settings())
        metadata = {"name": name, "labels": labels, "ownerReferences": [owner_reference(owner)]}
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        self.create(self.at("/apis/apps/v1", "deployments"), body)

    def pods(self, name: str) -> list[dict[str, Any]]:
        path = self.at("/api/v1", "pods") + f"?labelSelector=modelyard.dev/name={name}"
        found: list[dict[str, Any]] = self.api.call("GET", path)[1]["items"]
        return found

    def pod(self, name: str, accept: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The status of the first pod that is as wanted, as it was then."""
        accepted: list[dict[str, Any]] = []

        def seen() -> bool:
            accepted.extend(p["status"] for p in self.pods(name) if accept(p["status"]))
            return bool(accepted)

        until(seen, f"a pod of {name}", 30)
        return accepted[0]

    def ended(self, name: str) -> dict[str, Any]:
        """How the only container of the only pod ended."""
        status = self.pod(name, lambda s: s["phase"] in ("Succeeded", "Failed"))
        terminated: dict[str, Any] = status["containerStatuses"][0]["state"]["terminated"]
        return terminated

    def condition(self, name: str, type_: str) -> bool:
        found = self.api.call("GET", self.at("/apis/batch/v1", "jobs", f"{name}-build-1-abcd"))[1]
        conditions = found.get("status", {}).get("conditions", [])
        return any(c["type"] == type_ and c["status"] == "True" for c in conditions)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """One of its own: other tests play pods themselves."""
    with (
        ControlPlane(controllers=True, scheduler=True) as plane,
        MockKubelet(plane.kubeconfig, nodes=2, script=script),
    ):
        yield plane


@pytest.fixture
def place(plane: ControlPlane) -> Place:
    return Place(plane)


def asked(pod: dict[str, Any], path: str, put: Routing | None = None) -> str:
    connection = http.client.HTTPConnection(pod["status"]["podIP"], 8081, timeout=5)
    try:
        connection.request("PUT" if put else "GET", path, put.canonical() if put else None)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_a_task_runs_to_the_result_of_its_role(place: Place) -> None:
    place.build("orders")
    result = parse_result(place.ended("orders")["message"])
    assert isinstance(result, DatasetResult)
    until(lambda: place.condition("orders", "Complete"), "the Job is complete", 20)
    assert place.pods("orders")[0]["spec"]["nodeName"] in ("mock-0", "mock-1")


def test_equal_tasks_give_equal_digests_and_other_tasks_others(place: Place) -> None:
    for name, sql in (("one", "select 1"), ("two", "select 1"), ("three", "select 3")):
        place.build(name, sql)
    one, two, three = (json.loads(place.ended(n)["message"])["digest"] for n in ("one", "two", "three"))
    assert one == two != three


def test_a_pod_that_runs_tells_its_progress(place: Place) -> None:
    place.build("endless")
    place.pod("endless", lambda s: s["phase"] == "Running")
    assert json.loads(asked(place.pods("endless")[0], "/progress"))["stage"] == "Checking"


def test_an_evicted_pod_fails_its_job_and_says_why(place: Place) -> None:
    place.build("evicted")
    status = place.pod("evicted", lambda s: s["phase"] == "Failed")
    assert status["reason"] == "Evicted"
    disrupted = [c["reason"] for c in status["conditions"] if c["type"] == "DisruptionTarget"]
    assert disrupted == ["TerminationByKubelet"]
    until(lambda: place.condition("evicted", "Failed"), "the Job has failed", 20)


def test_a_pod_that_takes_too_much_memory_is_killed(place: Place) -> None:
    place.build("greedy")
    ended = place.ended("greedy")
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


def test_a_missing_image_holds_a_pod_back_until_it_is_there(place: Place) -> None:
    place.build("late")
    waits = place.pod("late", lambda s: "waiting" in s.get("containerStatuses", [{}])[0].get("state", {}))
    assert waits["containerStatuses"][0]["state"]["waiting"]["reason"] == "ErrImagePull"
    place.pod("late", lambda s: s["phase"] == "Running")


def test_a_pod_waits_for_what_it_mounts(place: Place) -> None:
    owner = place.owner("early")
    made = job(owner, "early-build-1-abcd", "build", TaskPod("i", "early-build-1-abcd"), 60, Settings())
    place.create(place.at("/apis/batch/v1", "jobs"), made)
    scheduled = place.pod("early", lambda s: [c for c in s.get("conditions", []) if c["type"] == "PodScheduled"])
    assert scheduled["phase"] == "Pending"
    task = DatasetTask(namespace=place.namespace, name="early", store=StoreConfig(uri="s3://b"), sources=[])
    place.task(owner, "early-build-1-abcd", task)
    assert place.ended("early")["exitCode"] == 0


def test_servers_get_ready_and_count_anew_for_each_routing(place: Place) -> None:
    place.serve("model")
    path = place.at("/apis/apps/v1", "deployments", "model")
    until(lambda: place.api.call("GET", path)[1]["status"].get("readyReplicas") == 2, "two servers are ready", 30)
    one, two = place.pods("model")
    assert one["status"]["podIP"] != two["status"]["podIP"]
    asked(one, "/routing", Routing(epoch="r/1", candidate="c", weight=10))
    stats = [ServingStats.model_validate_json(asked(pod, "/stats")) for pod in (one, two)]
    assert [(s.epoch, s.candidate.requests) for s in stats] == [("r/1", 100), ("", 0)]


def test_a_deleted_pod_stops_and_goes(place: Place) -> None:
    place.serve("model")
    path = place.at("/apis/apps/v1", "deployments", "model")
    until(lambda: place.api.call("GET", path)[1]["status"].get("readyReplicas") == 2, "two servers are ready", 30)
    pods = place.pods("model")
    place.api.call("DELETE", path, {"propagationPolicy": "Background"})
    until(lambda: not place.pods("model"), "the pods are gone", 30)
    for pod in pods:
        with pytest.raises(OSError):
            asked(pod, "/stats")


def test_a_server_that_falls_over_is_said_to_crash_in_a_loop(place: Place) -> None:
    place.serve("crashing")
    status = place.pod("crashing", lambda s: "waiting" in s.get("containerStatuses", [{"state": {}}])[0]["state"])
    container = status["containerStatuses"][0]
    assert container["restartCount"]
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["reason"] == "OOMKilled"
