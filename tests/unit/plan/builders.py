"""Builders of the objects planners see. Each step returns a new object: `dataset("d").spec(...).status(...)`."""

from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from modelyard.api.fields import API_VERSION
from modelyard.plan.labels import labels_for
from modelyard.plan.observe import Observed, Told
from modelyard.plan.plan import Key, Object

NAMESPACE = "ns"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CREATED = "2026-03-01T11:59:00Z"


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


class Built(dict[str, Any]):
    """A Kubernetes object that can be refined step by step."""

    def having(self, field: str, **values: Any) -> "Built":
        copy = Built(deepcopy(dict(self)))
        copy[field] = {**copy.get(field, {}), **values}
        return copy

    def spec(self, **fields: Any) -> "Built":
        return self.having("spec", **fields)

    def status(self, **fields: Any) -> "Built":
        return self.having("status", **fields)

    def holding(self, status: dict[str, Any]) -> "Built":
        """With exactly this status, as after a plan was carried out."""
        return Built({**deepcopy(dict(self)), "status": deepcopy(status)})

    def metadata(self, **fields: Any) -> "Built":
        return self.having("metadata", **fields)

    def annotated(self, **annotations: str) -> "Built":
        """`run="1"` sets modelyard.dev/run."""
        return self.metadata(annotations={f"modelyard.dev/{k}": v for k, v in annotations.items()})

    def of(self, owner: Object, role: str) -> "Built":
        """A child by its labels."""
        own = owner["metadata"]
        labels = {**self["metadata"].get("labels", {}), **labels_for(Key(owner["kind"], NAMESPACE, own["name"]), role)}
        return self.metadata(labels=labels)

    def condition(self, type_: str, status: str = "True", reason: str = "", message: str = "", **more: Any) -> "Built":
        others = [c for c in self.get("status", {}).get("conditions", []) if c["type"] != type_]
        new = {"type": type_, "status": status, "reason": reason, "message": message, **more}
        return self.status(conditions=[*others, new])

    # Pods only.

    def in_job(self, job: Object) -> "Built":
        own = job["metadata"]
        selector = {"batch.kubernetes.io/job-name": own["name"], "batch.kubernetes.io/controller-uid": own["uid"]}
        labels = {**own.get("labels", {}), **selector}
        return self.metadata(labels={**self["metadata"].get("labels", {}), **labels})

    def container(self, phase: str, **state: Any) -> "Built":
        image = self["spec"]["containers"][0]["image"]
        return self.status(phase=phase, containerStatuses=[{"name": "main", "image": image, **state}])

    def waiting(self, reason: str, message: str = "") -> "Built":
        return self.container("Pending", state={"waiting": {"reason": reason, "message": message}})

    def running(self) -> "Built":
        return self.container("Running", ready=True, state={"running": {"startedAt": CREATED}})

    def ended(self, exit_code: int, message: str = "", reason: str = "", at: str = CREATED) -> "Built":
        """The container has terminated; `message` is its termination message."""
        terminated = {
            "exitCode": exit_code,
            "reason": reason or ("Error" if exit_code else "Completed"),
            "message": message,
            "finishedAt": at,
        }
        return self.container("Failed" if exit_code else "Succeeded", state={"terminated": terminated})


def built(kind: str, name: str, api_version: str) -> Built:
    metadata = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-{kind}-{name}",
        "creationTimestamp": CREATED,
        "labels": {},
    }
    return Built({"apiVersion": api_version, "kind": kind, "metadata": metadata})


def own(kind: str, name: str) -> Built:
    return built(kind, name, API_VERSION).metadata(generation=1)


def dataset(name: str = "d") -> Built:
    return own("Dataset", name).spec(transform={"sql": "select 1 as x"})


def ready_dataset(name: str = "d", version: str = "d", checked: str = "2026-03-01T11:00:00Z") -> Built:
    current = {
        "digest": digest(version),
        "version": f"v-{version * 12}",
        "rows": 100,
        "bytes": 1000,
        "profileDigest": digest("e"),
        "logicalDigest": digest("f"),
        "createdAt": checked,
    }
    return (
        dataset(name)
        .status(observedGeneration=1, phase="Ready", current=current, checkedAt=checked)
        .condition("Ready", reason="Ready")
    )


def unready_dataset() -> Built:
    """It looks for news: a version is there, and perhaps soon another."""
    return ready_dataset().status(phase="Building").condition("Ready", "False", "Building")


def training_job(name: str = "t", data: str = "d") -> Built:
    return own("TrainingJob", name).spec(
        datasetRef={"name": data}, recipe={"name": "tabular", "task": "classification"}
    )


def deployment(name: str = "m", job: str = "t") -> Built:
    return own("ModelDeployment", name).spec(model={"trainingJobRef": {"name": job}})


def monitor(name: str = "w", of: str = "m") -> Built:
    return own("DriftMonitor", name).spec(modelDeploymentRef={"name": of})


def job(name: str) -> Built:
    """A batch/v1 Job."""
    return built("Job", name, "batch/v1").status(startTime=CREATED)


def pod(name: str = "p", image: str = "modelyard/training:dev") -> Built:
    return built("Pod", name, "v1").spec(containers=[{"name": "main", "image": image}]).status(phase="Pending")


def observed(
    *children: Object,
    related: tuple[Object, ...] = (),
    readings: dict[str, dict[str, Any]] | None = None,
    told: dict[str, tuple[Told, ...]] | None = None,
    pods_read: bool = True,
) -> Observed:
    """`related` are sorted by kind; `told` are events by uid; `pods_read` says that no pod is left out."""
    kinds = {o["kind"] for o in related}
    return Observed(
        children=tuple(children),
        related={kind: tuple(o for o in related if o["kind"] == kind) for kind in kinds},
        readings=readings or {},
        told=told or {},
        pods_read=jobs_of(children) if pods_read else frozenset(),
    )


def jobs_of(children: Iterable[Object]) -> frozenset[str]:
    """Their uids."""
    return frozenset(str(c["metadata"]["uid"]) for c in children if c["kind"] == "Job")


def task_in(job: Object) -> str:
    """The task that a Job's pods carry, as JSON."""
    carried: str = job["spec"]["template"]["metadata"]["annotations"]["modelyard.dev/task"]
    return carried
