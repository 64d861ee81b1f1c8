"""The pod template of every task: one hardened container that reads its task from a file, as hardened ones before it.

All pods pass Pod Security `restricted`, have no Kubernetes token and a read-only root; /tmp is theirs to write.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Literal

from modelyard.api.fields import Resources
from modelyard.contract.results import TERMINATION_PATH
from modelyard.contract.tasks import MANAGEMENT_PORT, TASK_PATH, Task, config_map_data
from modelyard.plan.labels import TASK, labels_for, owner_reference
from modelyard.plan.plan import Object, key_of
from modelyard.plan.settings import Settings

CONTAINER = "main"
SIDECAR = "model"  # a user's own
USER = 10001
SCRATCH_SIZE = "4Gi"  # of /tmp and the like, unless resources.limits names ephemeral-storage
DEFAULT_REQUESTS = {"cpu": "100m", "memory": "256Mi"}
DEFAULT_MEMORY = "2Gi"  # limit


@dataclass(frozen=True)
class Volume:
    """A volume and where it is mounted. `source` is its part of the pod's spec, e.g. `{"emptyDir": {}}`."""

    name: str
    path: str
    source: Mapping[str, Any]
    read_only: bool = True


@dataclass(frozen=True)
class InitContainer:
    """A container that starts before the task's. `fields` are further ones of its spec; with `restartPolicy: Always`
    it stays beside the task's until that has ended. Only where it is `ours` it gets the task and the store's keys."""

    name: str
    image: str
    resources: Resources = field(default_factory=Resources)
    volumes: tuple[Volume, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    ours: bool = False


@dataclass(frozen=True)
class TaskPod:
    """What differs from pod to pod. `container` and `pod` are further fields of the specs of those names.

    `task` is what a pod of one task carries itself; the name of a ConfigMap that holds one is for pods whose task
    may change, or is to be found in several templates.
    """

    image: str
    task: Task | str
    resources: Resources = field(default_factory=Resources)
    restart_policy: Literal["Never", "Always"] = "Never"
    volumes: tuple[Volume, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)  # besides the management port
    container: Mapping[str, Any] = field(default_factory=dict)  # probes, lifecycle
    pod: Mapping[str, Any] = field(default_factory=dict)  # grace period, deadline, spread
    init: tuple[InitContainer, ...] = ()


def task_config_map(resource: Object, name: str, role: str, task: Task) -> dict[str, Any]:
    """The ConfigMap with a task for the resource's pods. It is immutable: its name must change with its content."""
    return config_map(resource, name, role, config_map_data(task))


def config_map(resource: Object, name: str, role: str, data: Mapping[str, str]) -> dict[str, Any]:
    """An immutable ConfigMap owned by the resource."""
    key = key_of(resource)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": key.namespace,
            "labels": labels_for(key, role),
            "ownerReferences": [owner_reference(resource)],
        },
        "immutable": True,
        "data": dict(data),
    }


def pod_template(pod: TaskPod, labels: Mapping[str, str], settings: Settings) -> dict[str, Any]:
    """The `template` of a Job or a Deployment."""
    own = (
        Volume("task", str(PurePosixPath(TASK_PATH).parent), _task_source(pod.task)),
        Volume("tmp", "/tmp", scratch(pod.resources), read_only=False),  # noqa: S108 - a volume
    )
    before = [replace(c, volumes=(*own, *c.volumes)) if c.ours else c for c in pod.init]
    volumes = {v.name: v.source for v in (*own, *pod.volumes, *(v for c in before for v in c.volumes))}
    spec: dict[str, Any] = {
        "restartPolicy": pod.restart_policy,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(pod, (*own, *pod.volumes), settings)],
        "volumes": [{"name": name, **source} for name, source in volumes.items()],
        **pod.pod,
    }
    if before:
        spec["initContainers"] = [_init_container(c, settings) for c in before]
    if settings.service_account:
        spec["serviceAccountName"] = settings.service_account
    carried = {} if isinstance(pod.task, str) else {"annotations": {TASK: pod.task.canonical()}}
    return {"metadata": {"labels": dict(labels), **carried}, "spec": spec}


def _task_source(task: Task | str) -> dict[str, Any]:
    """The volume with the task: the pod's own annotation, or a ConfigMap."""
    if isinstance(task, str):
        return {"configMap": {"name": task}}
    field_ref = {"fieldPath": f"metadata.annotations['{TASK}']"}
    return {"downwardAPI": {"items": [{"path": PurePosixPath(TASK_PATH).name, "fieldRef": field_ref}]}}


def _container(pod: TaskPod, volumes: tuple[Volume, ...], settings: Settings) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": pod.image,
        "imagePullPolicy": settings.image_pull_policy,
        "env": [*_env({}), *_credentials(settings)],
        "ports": _ports({"management": MANAGEMENT_PORT, **pod.ports}),
        "resources": resources(pod.resources),
        **_hardened(volumes),
        **pod.container,
    }


def _init_container(container: InitContainer, settings: Settings) -> dict[str, Any]:
    return {
        "name": container.name,
        "image": container.image,
        "imagePullPolicy": settings.image_pull_policy,
        "env": [*_env(container.env), *(_credentials(settings) if container.ours else [])],
        "ports": _ports(container.ports),
        "resources": resources(container.resources),
        **_hardened(container.volumes),
        **container.fields,
    }


def _env(more: Mapping[str, str]) -> list[dict[str, Any]]:
    home = {"HOME": "/tmp"}  # noqa: S108 - a volume
    return [{"name": name, "value": value} for name, value in {**home, **more}.items()]


def _ports(ports: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "containerPort": port} for name, port in ports.items()]


def _hardened(volumes: tuple[Volume, ...]) -> dict[str, Any]:
    return {
        "volumeMounts": [{"name": v.name, "mountPath": v.path, "readOnly": v.read_only} for v in volumes],
        "terminationMessagePath": TERMINATION_PATH,
        # A pod that dies before it can write a result is explained by the end of its log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
    }


def _credentials(settings: Settings) -> list[dict[str, Any]]:
    """Of the store, by kubelet: the operator reads no Secret."""
    if settings.store_secret is None:
        return []
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": settings.store_secret, "key": name}}}
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    ]


def scratch(wanted: Resources) -> dict[str, Any]:
    """A volume to write to, as part of the pod's spec. Kubelet evicts a pod that writes more."""
    return {"emptyDir": {"sizeLimit": _limits(wanted).get("ephemeral-storage", SCRATCH_SIZE)}}


def resources(wanted: Resources) -> dict[str, Any]:
    """Requests and limits. A default stands only where the user says nothing about that resource.

    Memory always has a limit: where only a request is named, it is the limit, too.
    """
    limits = _limits(wanted)
    named = {*limits, *wanted.requests}
    asked = wanted.requests.get("memory", "0")
    memory = DEFAULT_MEMORY if _unlimited(asked) else asked
    requests = {**{k: v for k, v in DEFAULT_REQUESTS.items() if k not in named}, **wanted.requests}
    # Extended resources cannot be overcommitted: Kubernetes refuses a request without an equal limit.
    extended = {k: v for k, v in wanted.requests.items() if "/" in k}
    bounded = {"memory": memory, **limits}
    return {"limits": {**extended, **bounded}, "requests": {**bounded, **requests}}


def _limits(wanted: Resources) -> dict[str, str]:
    """Those that limit: to Kubernetes a limit of zero on memory or disk is none."""
    return {k: v for k, v in wanted.limits.items() if k not in ("memory", "ephemeral-storage") or not _unlimited(v)}


def _unlimited(quantity: str) -> bool:
    return not quantity.strip("0.mkKMGTPEi")
