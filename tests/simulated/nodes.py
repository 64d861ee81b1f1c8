"""What Kubernetes' controllers and kubelets do with Jobs, Deployments and pods: one station of one object at a time."""

from collections.abc import Callable
from typing import Any

from modelyard.contract.document import Document
from modelyard.contract.progress import Progress, Routing
from modelyard.contract.results import DatasetResult
from modelyard.contract.tasks import Task
from modelyard.plan.labels import JOB_NAME, JOB_UID, ROLE, TASK
from modelyard.plan.plan import Key, Object, key_of
from tests.cluster.mock_kubelet import statuses
from tests.cluster.mock_kubelet.answers import TASKS, answer
from tests.cluster.mock_kubelet.life import Ending
from tests.cluster.mock_kubelet.management import counted
from tests.simulated.server import Server


class Nodes:
    """`answers` gives the results of tasks."""

    def __init__(
        self,
        server: Server,
        now: Callable[[], str],
        clock: Callable[[], float],
        answers: Callable[[Task], Document] = answer,
    ) -> None:
        self._server = server
        self._now = now
        self._clock = clock
        self._answers = answers
        self._ends: dict[str, float] = {}  # by a Job's uid: at least a second, in which times are counted
        self.routings: dict[Key, Routing] = {}  # by pod: what a server was told last
        self._tasks: dict[Key, str] = {}  # by pod, as it was when the pod started

    def due(self) -> list[Key]:
        """Jobs that have not ended, and Deployments whose pods are not as they should be."""
        now = self._clock()
        going_on = (job for job in self._server.of("Job") if not job.get("status"))
        jobs = [key_of(job) for job in going_on if self._ends.get(job["metadata"]["uid"], now) <= now]
        return [*jobs, *(key_of(d) for d in self._server.of("Deployment") if d.get("status") != _full(d))]

    def step(self, key: Key) -> None:
        (self._job if key.kind == "Job" else self._deployment)(self._server.objects[key])

    def reading(self, pod: Key) -> dict[str, Any] | None:
        """What its management port answers."""
        found = self._server.objects.get(pod)
        if found is None or found["status"]["phase"] != "Running":
            return None
        if found["metadata"]["labels"][ROLE] == "server":
            return counted(self.routings.get(pod, Routing(epoch=""))).wire()
        return Progress(stage="Training", percent=50).wire()

    def _job(self, job: Object) -> None:
        metadata = job["metadata"]
        pods = [p for p in self._server.of("Pod") if p["metadata"]["labels"].get(JOB_UID) == metadata["uid"]]
        if not pods:
            labels = {JOB_NAME: metadata["name"], JOB_UID: metadata["uid"]}
            self._make(job, f"{metadata['name']}-0-{metadata['uid']}", labels)
            return
        phase, key = pods[0]["status"]["phase"], key_of(pods[0])
        if phase == "Pending":
            if task := self._task(pods[0]):  # kubelet waits for what a pod mounts
                self._tasks[key] = task
                self._ends[metadata["uid"]] = self._clock() + 1.1
                self._run(pods[0])
        elif phase == "Running":
            self._tell(key, self._ended(pods[0]))
        else:
            done = [
                {"type": type_, "status": "True", "lastTransitionTime": self._now()}
                for type_ in ("SuccessCriteriaMet", "Complete")
            ]
            self._tell(key_of(job), {"conditions": done, "completionTime": self._now()})

    def _run(self, pod: Object) -> None:
        self._tell(key_of(pod), statuses.running(dict(pod), "10.0.0.1", self._now(), ready=True))

    def _ended(self, pod: Object) -> dict[str, Any]:
        role = pod["metadata"]["labels"][ROLE]
        result = self._answers(TASKS[role].model_validate_json(self._tasks[key_of(pod)]))
        if isinstance(result, DatasetResult):
            result = result.model_copy(update={"checked_at": self._now()})
        status = statuses.ended(dict(pod), self._now(), Ending(0, result.canonical()))
        for container in status["containerStatuses"]:
            container["state"]["terminated"]["finishedAt"] = self._now()
        return status

    def _task(self, pod: Object) -> str | None:
        if carried := pod["metadata"].get("annotations", {}).get(TASK):
            return str(carried)
        (volume,) = (v for v in pod["spec"]["volumes"] if v["name"] == "task")
        name = volume["configMap"]["name"]
        found = self._server.objects.get(Key("ConfigMap", pod["metadata"]["namespace"], name))
        return str(found["data"]["task.json"]) if found else None

    def _deployment(self, deployment: Object) -> None:
        metadata, wanted = deployment["metadata"], deployment["spec"]["replicas"]
        pods = [p for p in self._server.of("Pod") if _is_of(p, metadata["uid"])]
        waiting = [p for p in pods if p["status"]["phase"] == "Pending"]
        if len(pods) > wanted:
            self._server.delete(key_of(pods[-1]))
        elif len(pods) < wanted:
            self._make(deployment, f"{metadata['name']}-{self._server.version}", {})
        elif waiting:
            self._run(waiting[0])
        else:
            self._tell(key_of(deployment), _full(deployment))

    def _make(self, owner: Object, name: str, labels: dict[str, str]) -> None:
        template, metadata = owner["spec"]["template"], owner["metadata"]
        kind = "Job" if owner["kind"] == "Job" else "ReplicaSet"
        made = {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {**template["metadata"]["labels"], **labels},
            "annotations": template["metadata"].get("annotations", {}),
            "ownerReferences": [{"kind": kind, "name": metadata["name"], "uid": metadata["uid"], "controller": True}],
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": template["spec"]}
        self._server.apply({**pod, "status": {"phase": "Pending"}})

    def _tell(self, key: Key, status: dict[str, Any]) -> None:
        self._server.patch_status(key, _without_nulls(status))


def _without_nulls(value: Any) -> Any:
    """A strategic merge patch takes out what was there; this patch replaces lists."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _is_of(pod: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in pod["metadata"]["ownerReferences"])


def _full(deployment: Object) -> dict[str, int]:
    """The status once all pods are ready."""
    wanted = deployment["spec"]["replicas"]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), wanted)
    return {**counts, "observedGeneration": deployment["metadata"]["generation"]}
