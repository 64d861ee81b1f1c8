"""`modelyard run` as the image starts it, with the real planners and controllers, on the first example."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path

import pytest
import yaml

from modelyard.api.crd import definition
from modelyard.api.kinds import BY_NAME, KINDS
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import free_ports, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[3]
GROUP = "/apis/modelyard.dev/v1alpha1/namespaces/program"


def apply(plane: ControlPlane, path: str, body: dict[str, object]) -> None:
    assert plane.api.apply(path, body) in (200, 201)


def installed(plane: ControlPlane) -> None:
    for kind in KINDS:
        body = definition(kind)
        apply(plane, f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{body['metadata']['name']}", body)
    apply(
        plane, "/api/v1/namespaces/program", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "program"}}
    )


def example(plane: ControlPlane) -> None:
    """Applies the first example, waiting where a kind is not served yet."""
    for document in yaml.safe_load_all((ROOT / "examples/quickstart/model.yaml").read_text()):
        plural = BY_NAME[document["kind"]].plural
        path = f"{GROUP}/{plural}/{document['metadata']['name']}"
        until(partial(_applied, plane, path, document), f"{plural} are served", 10)


def _applied(plane: ControlPlane, path: str, document: dict[str, object]) -> bool:
    return plane.api.apply(path, document) in (200, 201)


def writes(port: int) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("modelyard_api_writes_total{"))


def reasons(plane: ControlPlane) -> dict[str, str]:
    """The reason of Ready by kind."""
    result = {}
    for kind in KINDS:
        status = plane.api.call("GET", f"{GROUP}/{kind.plural}/churn")[1].get("status", {})
        result[kind.kind] = next((c["reason"] for c in status.get("conditions", []) if c["type"] == "Ready"), "")
    return result


def test_the_first_example_is_planned_and_comes_to_rest(controlled_plane: ControlPlane, tmp_path: Path) -> None:
    plane = controlled_plane
    (port,) = free_ports(1)
    config = tmp_path / "operator.json"
    lease = {"namespace": "default", "name": "modelyard"}
    config.write_text(json.dumps({"healthPort": port, "lease": lease, "namespaces": ["program"]}))
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig), "PYTHONPATH": str(ROOT / "operator")}
    log = tmp_path / "log"
    with log.open("w") as target:
        command = [sys.executable, "-m", "modelyard", "run", "--config", str(config)]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=target)
    try:
        time.sleep(2)
        installed(plane)  # after the start, as a chart may do
        example(plane)
        until(lambda: all(reasons(plane).values()), "every resource has a Ready condition", 30)
        jobs = plane.api.call("GET", "/apis/batch/v1/namespaces/program/jobs")[1]["items"]
        assert [job["metadata"]["labels"]["modelyard.dev/kind"] for job in jobs] == ["Dataset"]
        assert "InternalError" not in reasons(plane).values(), log.read_text()
        until(lambda: looked_at(plane), "the scheduler has looked at the build's pod", 30)
        before = settled(port)
        time.sleep(5)
        assert writes(port) == before, log.read_text()
    finally:
        process.terminate()
        assert process.wait(timeout=15) == 0, log.read_text()


def looked_at(plane: ControlPlane) -> bool:
    pods = plane.api.call("GET", "/api/v1/namespaces/program/pods")[1]["items"]
    return any(pod["status"].get("conditions") for pod in pods)


def settled(port: int) -> float:
    """The writes sent once none was sent for two seconds."""
    before = -1.0
    for _ in range(10):
        now = writes(port)
        if now == before:
            return now
        before = now
        time.sleep(2)
    raise AssertionError("it never comes to rest")
