"""The servers of one model revision: their task and their Deployment. Another task is another ConfigMap's name, so
that Kubernetes itself replaces the pods, one by one."""

from typing import Any

from modelyard.api.serving import ModelDeploymentSpec, Revision
from modelyard.contract.tasks import FRONT_PORT, GRPC_PORT, SERVING_PORT, ServeTask
from modelyard.plan.endpoint import metadata, selector
from modelyard.plan.fleet import ROLE_SERVER
from modelyard.plan.labels import REVISION, child_name, hash_of
from modelyard.plan.plan import Object
from modelyard.plan.pods import TaskPod, pod_template, task_config_map
from modelyard.plan.settings import Settings
from modelyard.plan.sidecar import GRACE_SECONDS as SIDECARS_GRACE
from modelyard.plan.sidecar import container_task, sidecar

GRACE_SECONDS = 35  # servers drain within 27 s of SIGTERM
NOTICE_SECONDS = 2  # a pod counts as available only then: endpoints elsewhere have heard of it


def serve_task(resource: Object, spec: ModelDeploymentSpec, revision: Revision, settings: Settings) -> ServeTask:
    return ServeTask(
        namespace=resource["metadata"]["namespace"],
        name=resource["metadata"]["name"],
        store=settings.store,
        model_name=resource["metadata"]["name"],
        training_job=revision.training_job,
        model_digest=revision.model_digest,
        revision=revision.revision,
        capture_percent=spec.capture.percent,
        capture_layout="sagemaker" if spec.capture.layout == "sagemaker" else None,
        grpc=True if spec.grpc else None,
        container=container_task(spec.container) if spec.container else None,
        allow_unsafe=settings.unsafe(spec.allow_unsafe_formats),
    )


def task_config(resource: Object, task: ServeTask) -> dict[str, Any]:
    """The ConfigMap of a revision's task, labelled with the revision."""
    meta = resource["metadata"]
    name = child_name(meta["name"], task.revision, hash_of(task.wire()))
    config = task_config_map(resource, name, ROLE_SERVER, task)
    labels = {**config["metadata"]["labels"], REVISION: task.revision}
    return {**config, "metadata": {**config["metadata"], "labels": labels}}


def server_deployment(
    resource: Object, spec: ModelDeploymentSpec, revision: Revision, config: str, settings: Settings
) -> dict[str, Any]:
    """Never fewer ready pods than asked for while it changes."""
    pods = selector(resource, revision.revision)
    name = child_name(resource["metadata"]["name"], revision.revision)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(resource, name, revision=revision.revision),
        "spec": {
            "replicas": 0 if spec.suspend else spec.replicas.min,
            "revisionHistoryLimit": 1,
            "minReadySeconds": NOTICE_SECONDS,
            "selector": {"matchLabels": pods},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": pod_template(_pod(spec, revision, config, pods, settings), pods, settings),
        },
    }


def _pod(
    spec: ModelDeploymentSpec, revision: Revision, config: str, pods: dict[str, str], settings: Settings
) -> TaskPod:
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": pods},
    }
    port = FRONT_PORT if spec.container else SERVING_PORT
    return TaskPod(
        image=settings.images.server_of(revision.model_format),
        task=config,
        resources=spec.resources,
        restart_policy="Always",
        ports={"http": port, **({"grpc": GRPC_PORT} if spec.grpc else {})},
        container={
            "startupProbe": _probe("live", period=1, failures=120),
            "readinessProbe": _probe("ready", period=2, failures=2),
            "livenessProbe": _probe("live", period=10, failures=3),
        },
        pod={
            "terminationGracePeriodSeconds": GRACE_SECONDS + (SIDECARS_GRACE if spec.container else 0),
            "topologySpreadConstraints": [spread],
        },
        init=sidecar(spec.container, settings) if spec.container else (),
    )


def _probe(what: str, period: int, failures: int) -> dict[str, Any]:
    get = {"path": f"/v2/health/{what}", "port": "http"}
    return {"httpGet": get, "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": failures}
