"""What a planner sees: its own children, the resources it depends on or serves, and what pods last told.

Built from the cache without I/O. `neighbours` is the other direction: whom a changed resource concerns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from modelyard.plan.plan import Key, Object


@dataclass(frozen=True)
class Told:
    """A Kubernetes event about a child, in its maker's words. Not to be shown before it is redacted."""

    reason: str
    message: str
    at: str  # RFC 3339, when it was last seen


class Lookup(Protocol):
    """The cache as planners may ask it."""

    def get(self, key: Key) -> Object | None: ...
    def naming(self, kind: str, namespace: str, relation: str, name: str) -> Sequence[Object]: ...
    def children(self, key: Key) -> Sequence[Object]: ...
    def reading(self, namespace: str, pod: str) -> Mapping[str, Any] | None: ...
    def told(self, uid: str) -> tuple[Told, ...]: ...
    def pods_read(self, uid: str) -> bool: ...


@dataclass(frozen=True)
class Observed:
    """`related` holds the other resources by kind; `readings` the last Progress or ServingStats by pod name; `told`
    the events about children that were asked for, newest first, by uid; `pods_read` the uids of ended Jobs whose pods
    were read from the API server after their end, so that a pod that is not there is gone."""

    children: tuple[Object, ...] = ()
    related: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    told: Mapping[str, tuple[Told, ...]] = field(default_factory=dict)
    pods_read: frozenset[str] = frozenset()

    def told_of(self, child: Object) -> tuple[Told, ...]:
        return self.told.get(child["metadata"].get("uid", ""), ())

    def of(self, kind: str, role: str | None = None) -> tuple[Object, ...]:
        """Children of a Kubernetes kind (Job, Pod, Deployment, ...), by the role in their labels."""
        return tuple(
            c
            for c in self.children
            if c["kind"] == kind and (role is None or c["metadata"]["labels"].get("modelyard.dev/role") == role)
        )

    def named(self, kind: str, name: str) -> Object | None:
        """A child or a related resource by kind and name."""
        for candidate in (*self.children, *self.related.get(kind, ())):
            if candidate["kind"] == kind and candidate["metadata"]["name"] == name:
                return candidate
        return None


def _spec(resource: Object) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = resource.get("spec", {})
    return spec


def dataset_of(job: Object) -> str:
    return str(_spec(job).get("datasetRef", {}).get("name", ""))


def root_of(job: Object) -> str:
    """The name of the family a TrainingJob belongs to: the root's name."""
    trigger = _spec(job).get("trigger") or {}
    return str(trigger.get("rootRef", {}).get("name") or job["metadata"]["name"])


def monitor_of(job: Object) -> str | None:
    trigger = _spec(job).get("trigger") or {}
    name = trigger.get("driftMonitorRef", {}).get("name")
    return str(name) if name else None


def family_of(deployment: Object, lookup: Lookup) -> str:
    """The root of the TrainingJob a deployment names: it may name a retrained one, to pin it."""
    named = job_of(deployment)
    job = lookup.get(Key("TrainingJob", deployment["metadata"]["namespace"], named))
    return root_of(job) if job else named


def job_of(deployment: Object) -> str:
    return str(_spec(deployment).get("model", {}).get("trainingJobRef", {}).get("name", ""))


def relations(resource: Object) -> dict[str, str]:
    """Names of other resources that this one names, by what they are to it. Whoever keeps objects for a Lookup finds
    them again by these."""
    match resource["kind"]:
        case "TrainingJob":
            monitor = monitor_of(resource)
            named = {"dataset": dataset_of(resource), "family": root_of(resource)}
            return {**named, "monitor": monitor} if monitor else named
        case "ModelDeployment":
            return {"job": job_of(resource)}
        case "DriftMonitor":
            return {"deployment": deployment_of(resource)}
    return {}


def deployment_of(monitor: Object) -> str:
    return str(_spec(monitor).get("modelDeploymentRef", {}).get("name", ""))


def _related(resource: Object, lookup: Lookup) -> dict[str, tuple[Object, ...]]:
    namespace = resource["metadata"]["namespace"]
    name = resource["metadata"]["name"]

    def jobs(relation: str, named: str) -> tuple[Object, ...]:
        return tuple(lookup.naming("TrainingJob", namespace, relation, named))

    def one(kind: str, wanted: str | None) -> tuple[Object, ...]:
        found = lookup.get(Key(kind, namespace, wanted)) if wanted else None
        return (found,) if found else ()

    match resource["kind"]:
        case "Dataset":
            return {"TrainingJob": jobs("dataset", name)}
        case "TrainingJob":
            return {
                "Dataset": one("Dataset", dataset_of(resource)),
                "DriftMonitor": one("DriftMonitor", monitor_of(resource)),
            }
        case "ModelDeployment":
            return {"TrainingJob": jobs("family", family_of(resource, lookup))}
        case "DriftMonitor":
            deployments = one("ModelDeployment", deployment_of(resource))
            family = family_of(deployments[0], lookup) if deployments else ""
            return {
                "ModelDeployment": deployments,
                "TrainingJob": jobs("family", family),
            }
    return {}


def observe(resource: Object, lookup: Lookup) -> Observed:
    namespace = resource["metadata"]["namespace"]
    children = tuple(lookup.children(Key(resource["kind"], namespace, resource["metadata"]["name"])))
    readings = {
        pod: reading
        for pod in (c["metadata"]["name"] for c in children if c["kind"] == "Pod")
        if (reading := lookup.reading(namespace, pod)) is not None
    }
    told = {uid: events for c in children if (events := lookup.told(uid := c["metadata"].get("uid", "")))}
    jobs = (c["metadata"].get("uid", "") for c in children if c["kind"] == "Job")
    pods_read = frozenset(uid for uid in jobs if lookup.pods_read(uid))
    return Observed(children, _related(resource, lookup), readings, told, pods_read)


def has_seen_its_spec(obj: Object) -> bool:
    """Whether the status is about the present spec, by whoever writes it."""
    generation: int = obj["metadata"].get("generation", 0)
    return bool(obj.get("status", {}).get("observedGeneration", 0) >= generation)


def signal(resource: Object) -> Any:
    """The part of a resource its neighbours react to; while it is unchanged they are not woken."""
    status = resource.get("status", {})
    approved = [c["status"] for c in status.get("conditions", []) if c["type"] in ("Approved", "Ready")]
    keep = ("current", "checkedAt", "model", "phase", "stable", "candidate", "retrain", "history", "proposed")
    return {
        "spec": resource.get("spec"),
        "seen": has_seen_its_spec(resource),
        "approved": approved,
        **{k: status.get(k) for k in keep},
    }


def news(child: Object) -> Any:
    """The part of a child that planners may react to; of Jobs and pods much changes that says nothing to them."""
    metadata, status = child["metadata"], child.get("status", {})
    if child["kind"] not in ("Job", "Pod"):
        return metadata["resourceVersion"]
    about = [metadata.get(name) for name in ("uid", "labels", "deletionTimestamp")]
    conditions = [c for c in status.get("conditions", ()) if (c["type"], c["status"]) not in _ON_THE_WAY]
    if child["kind"] == "Job":
        return [about, conditions]
    return [about, conditions, {name: value for name, value in status.items() if name not in _PODS_OWN}]


_PODS_OWN = ("observedGeneration", "qosClass", "hostIP", "hostIPs", "podIPs", "conditions")
# What follows soon says more: the end of a Job that has succeeded, the start of a container or why there is none.
_ON_THE_WAY = {("SuccessCriteriaMet", "True"), ("PodScheduled", "True")}


def neighbours(resource: Object, lookup: Lookup) -> set[Key]:
    """Resources whose planners read this one."""
    namespace = resource["metadata"]["namespace"]
    name = resource["metadata"]["name"]

    def naming(kind: str, relation: str, named: str) -> set[Key]:
        found = lookup.naming(kind, namespace, relation, named)
        return {Key(kind, namespace, o["metadata"]["name"]) for o in found}

    match resource["kind"]:
        case "Dataset":
            return naming("TrainingJob", "dataset", name)
        case "TrainingJob":
            root = root_of(resource)
            family = {name, root, *(job.name for job in naming("TrainingJob", "family", root))}
            deployments = {d for member in family for d in naming("ModelDeployment", "job", member)}
            monitors = {m for d in deployments for m in naming("DriftMonitor", "deployment", d.name)}
            return {Key("Dataset", namespace, dataset_of(resource))} | deployments | monitors
        case "ModelDeployment":
            return naming("DriftMonitor", "deployment", name)
        case "DriftMonitor":
            return naming("TrainingJob", "monitor", name)
    return set()
