"""What is compared: a controller that turns objects of some kind into finished pods, as ordinary processes."""

from typing import Any, Protocol

from tests.bench.operator import install
from tests.bench.operator.client import Object
from tests.cluster.controlplane import ControlPlane

NAMESPACE = "bench"
IMAGE = "registry.example.com/train:1"  # fake nodes pull nothing
REQUESTS = {"cpu": "100m", "memory": "128Mi"}


class FailedError(RuntimeError):
    """An object that had to complete has failed: there is nothing to measure."""


class Contender(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def collection(self) -> str:
        """Path of the objects in NAMESPACE."""

    @property
    def processes(self) -> tuple[str, ...]:
        """The controllers' names among the control plane's processes; none for plain Jobs."""

    def start(self, plane: ControlPlane) -> None:
        """Installs it and returns when it is ready."""

    def body(self, name: str) -> Object: ...

    def done(self, obj: Object) -> bool:
        """Raises FailedError."""


def condition(obj: Object, type_: str) -> dict[str, Any]:
    conditions = obj.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == type_), {})


def completed(obj: Object) -> bool:
    """As Jobs and TrainJobs say it: a condition Complete. Raises FailedError for a condition Failed."""
    failed = condition(obj, "Failed")
    if failed.get("status") == "True":
        raise FailedError(f"{obj['kind']} {obj['metadata']['name']}: {failed.get('reason')}: {failed.get('message')}")
    return condition(obj, "Complete").get("status") == "True"


class PlainJobs:
    """The floor: what the cluster itself needs for a Job with one pod of one container."""

    name = "plain Jobs"
    collection = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
    processes = ()

    def start(self, plane: ControlPlane) -> None:
        install.namespace(plane, NAMESPACE)

    def body(self, name: str) -> Object:
        container = {"name": "main", "image": IMAGE, "resources": {"requests": REQUESTS}}
        pod = {"restartPolicy": "Never", "containers": [container]}
        return {"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {"spec": pod}}}

    def done(self, obj: Object) -> bool:
        return completed(obj)
