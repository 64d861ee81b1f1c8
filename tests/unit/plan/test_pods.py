"""The pod template: what every pod gets, whoever plans it."""

from dataclasses import replace
from typing import Any

import pytest

from modelyard.api.fields import Resources
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import ServeTask
from modelyard.plan.labels import owner_of
from modelyard.plan.plan import Key
from modelyard.plan.pods import TaskPod, Volume, pod_template, resources, task_config_map
from modelyard.plan.settings import Settings
from tests.unit.plan.builders import deployment

POD = TaskPod("i:1", "task-1")


def spec_of(pod: TaskPod = POD, settings: Settings | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = pod_template(pod, {"a": "b"}, settings or Settings())["spec"]
    return spec


def container_of(pod: TaskPod = POD, settings: Settings | None = None) -> dict[str, Any]:
    container: dict[str, Any] = spec_of(pod, settings)["containers"][0]
    return container


def test_a_pod_meets_pod_security_restricted() -> None:
    spec = spec_of()
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    security = spec["containers"][0]["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"] is True


def test_a_pod_has_no_kubernetes_token_and_learns_no_services() -> None:
    spec = spec_of()
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


def test_store_credentials_come_from_the_secret_by_kubelet() -> None:
    env = {e["name"]: e for e in container_of()["env"]}
    assert env["AWS_ACCESS_KEY_ID"]["valueFrom"]["secretKeyRef"] == {
        "name": "modelyard-store",
        "key": "AWS_ACCESS_KEY_ID",
    }
    assert env["HOME"]["value"] == "/tmp"


def test_without_a_store_secret_the_pods_own_identity_is_used() -> None:
    settings = replace(Settings(), store_secret=None, service_account="cloud")
    assert [e["name"] for e in container_of(settings=settings)["env"]] == ["HOME"]
    assert spec_of(settings=settings)["serviceAccountName"] == "cloud"


def test_every_mount_has_its_volume() -> None:
    pod = replace(POD, volumes=(Volume("ml", "/opt/ml", {"emptyDir": {}}, read_only=False),))
    spec = spec_of(pod)
    mounts = {m["name"]: (m["mountPath"], m["readOnly"]) for m in spec["containers"][0]["volumeMounts"]}
    assert mounts == {"task": ("/etc/modelyard", True), "tmp": ("/tmp", False), "ml": ("/opt/ml", False)}
    assert [v["name"] for v in spec["volumes"]] == ["task", "tmp", "ml"]
    assert spec["volumes"][0]["configMap"] == {"name": "task-1"}


def test_scratch_space_follows_the_limit_of_ephemeral_storage() -> None:
    pod = replace(POD, resources=Resources(limits={"ephemeral-storage": "50Gi"}))
    assert spec_of()["volumes"][1]["emptyDir"] == {"sizeLimit": "4Gi"}
    assert spec_of(pod)["volumes"][1]["emptyDir"] == {"sizeLimit": "50Gi"}
    endless = replace(POD, resources=Resources(limits={"ephemeral-storage": "0"}))
    assert spec_of(endless)["volumes"][1]["emptyDir"] == {"sizeLimit": "4Gi"}


def test_further_fields_reach_pod_and_container() -> None:
    pod = replace(POD, ports={"http": 8080}, container={"livenessProbe": {}}, pod={"terminationGracePeriodSeconds": 9})
    assert spec_of(pod)["terminationGracePeriodSeconds"] == 9
    assert container_of(pod)["livenessProbe"] == {}
    assert {p["name"]: p["containerPort"] for p in container_of(pod)["ports"]} == {"management": 8081, "http": 8080}


@pytest.mark.parametrize(
    ("limits", "requests", "expected"),
    [
        ({}, {}, {"limits": {"memory": "2Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}}),
        (
            {"cpu": "1", "memory": "1Gi"},
            {},
            {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}},
        ),
        ({}, {"memory": "9Gi"}, {"limits": {"memory": "9Gi"}, "requests": {"cpu": "100m", "memory": "9Gi"}}),
        ({"memory": "0Gi"}, {}, {"limits": {"memory": "2Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}}),
        (
            {"ephemeral-storage": "0"},
            {"memory": "0"},
            {"limits": {"memory": "2Gi"}, "requests": {"cpu": "100m", "memory": "0"}},
        ),
        (
            {"nvidia.com/gpu": "1"},
            {},
            {
                "limits": {"memory": "2Gi", "nvidia.com/gpu": "1"},
                "requests": {"cpu": "100m", "memory": "256Mi", "nvidia.com/gpu": "1"},
            },
        ),
        (
            {},
            {"aws.amazon.com/neuron": "2"},
            {
                "limits": {"memory": "2Gi", "aws.amazon.com/neuron": "2"},
                "requests": {"cpu": "100m", "memory": "256Mi", "aws.amazon.com/neuron": "2"},
            },
        ),
    ],
)
def test_resources_default_only_where_the_user_says_nothing(
    limits: dict[str, str], requests: dict[str, str], expected: dict[str, Any]
) -> None:
    assert resources(Resources(limits=limits, requests=requests)) == expected


def test_a_tasks_config_map_belongs_to_the_resource() -> None:
    owner = deployment("m")
    task = ServeTask(
        namespace="ns",
        name="m",
        store=StoreConfig(uri="s3://b"),
        model_name="m",
        training_job="t",
        model_digest="sha256:0",
        revision="r",
    )
    config = task_config_map(owner, "m-r", "server", task)
    assert config["immutable"] is True
    assert config["data"] == {"task.json": task.canonical()}
    assert config["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]
    assert owner_of(config) == Key("ModelDeployment", "ns", "m")
