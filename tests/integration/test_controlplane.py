"""The control plane that integration tests stand on: quick to come, answers, leaves nothing."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.cluster import build, kubectl
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import until

pytestmark = pytest.mark.integration

_JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: one}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "none:1"}]
"""


def test_starts_quickly_and_leaves_nothing() -> None:
    build.program("kubernetes")
    started = time.monotonic()
    with ControlPlane() as plane:
        took = time.monotonic() - started
        records = plane.processes.recorded()
        assert plane.api.call("GET", "/version")[1]["gitVersion"] == "v1.34.4"
    assert took < 20
    assert set(records) == {"etcd", "api-server"}
    assert not any(record.alive for record in records.values())
    assert not plane.directory.exists()


def test_kubeconfig_works_with_kubectl(control_plane: Path) -> None:
    program = build.program("kubernetes", "kubectl")
    kubectl.run(program, control_plane, "create", "configmap", "greeting", "--from-literal=a=b")
    assert kubectl.run(program, control_plane, "get", "configmap", "greeting", "-o", "jsonpath={.data.a}") == "b"


def test_rbac_is_on(control_plane: Path) -> None:
    program = build.program("kubernetes", "kubectl")
    question = [str(program), "--kubeconfig", str(control_plane), "auth", "can-i", "list", "pods", "--as=nobody"]
    assert subprocess.run(question, capture_output=True, text=True, check=False).stdout.strip() == "no"


def test_controllers_make_pods_and_collect_garbage(controlled_plane: ControlPlane) -> None:
    def pods() -> int:
        return len(controlled_plane.api.call("GET", "/api/v1/namespaces/default/pods")[1]["items"])

    kubectl.run(controlled_plane.kubectl, controlled_plane.kubeconfig, "apply", "-f", "-", given=_JOB)
    until(lambda: pods() == 1, "the Job's pod", 30)
    kubectl.run(controlled_plane.kubectl, controlled_plane.kubeconfig, "delete", "job", "one")
    until(lambda: pods() == 0, "the pod's deletion", 30)
