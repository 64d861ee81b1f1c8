"""Builds and training attempts on a real API server, Job controller and scheduler; the test plays the kubelet."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.conditions import timestamp
from modelyard.contract.document import Document
from modelyard.contract.results import FailureResult
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Plan
from modelyard.plan.settings import Settings
from modelyard.plan.training import plan_training
from modelyard.runtime.status import merge_patch
from tests.cluster import build
from tests.cluster.controlplane import ControlPlane
from tests.unit.plan.builders import Built, dataset, own, ready_dataset, training_job
from tests.unit.plan.simulation import Planner
from tests.unit.plan.test_dataset import rejected, result
from tests.unit.plan.test_training import trained

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
SPACE = "attempts"
NODE = "played"
Kubectl = Callable[..., Any]


@pytest.fixture(scope="module")
def kubectl(controlled_plane: ControlPlane) -> Kubectl:
    program = build.program("kubernetes", "kubectl")

    def run(*arguments: str, given: Any = None) -> Any:
        command = [str(program), "--kubeconfig", str(controlled_plane.kubeconfig), "--namespace", SPACE, *arguments]
        text = None if given is None else json.dumps(given)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stderr}\n{text}"
        return json.loads(done.stdout) if "json" in arguments else done.stdout

    run("apply", "--server-side", "-f", str(ROOT / "crds"))
    run("wait", "--for=condition=Established", "--timeout=30s", "-f", str(ROOT / "crds"))
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": labels}}
    run("create", "-f", "-", given=space)
    return run


@pytest.fixture
def node(kubectl: Kubectl) -> Iterator[None]:
    """A node without a GPU, as its kubelet would report it."""
    kubectl("create", "-f", "-", given={"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    report(kubectl, cpu="8", memory="8Gi", pods="20", **{"ephemeral-storage": "99Gi"})
    kubectl("patch", "node", NODE, "--type=merge", "--patch", '{"spec": {"taints": []}}')
    yield
    kubectl("delete", "node", NODE)


def report(kubectl: Kubectl, **resources: str) -> None:
    now = timestamp(datetime.now(UTC))
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
    status = {"capacity": resources, "allocatable": resources, "conditions": [{**ready, "lastTransitionTime": now}]}
    kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "--patch", json.dumps({"status": status}))


class Played:
    """A resource of the API server and its planner; `reconcile` does what the runtime does."""

    def __init__(self, kubectl: Kubectl, planner: Planner, resource: Built, *related: Built) -> None:
        self.kubectl, self.planner, self.related = kubectl, planner, related
        self.kind, self.name = resource["kind"].lower(), resource["metadata"]["name"]
        metadata = {"name": self.name, "namespace": SPACE}
        kubectl("create", "--validate=strict", "-f", "-", given={**resource, "metadata": metadata})

    @property
    def resource(self) -> dict[str, Any]:
        found: dict[str, Any] = self.kubectl("get", self.kind, self.name, "-o", "json")
        return found

    def children(self) -> list[dict[str, Any]]:
        found = self.kubectl("get", "job,pod,configmap", "-l", f"modelyard.dev/name={self.name}", "-o", "json")
        items: list[dict[str, Any]] = found["items"]
        return items

    def reconcile(self) -> Plan:
        related = {kind: tuple(r for r in self.related if r["kind"] == kind) for kind in ("Dataset", "TrainingJob")}
        resource, seen = self.resource, Observed(tuple(self.children()), related)
        plan = self.planner(resource, seen, datetime.now(UTC), Settings())
        for child in plan.apply:
            self.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", given=child)
        for unwanted in plan.delete:
            self.kubectl("delete", unwanted["kind"], unwanted["metadata"]["name"], "--wait=false")
        change = merge_patch(resource.get("status", {}), plan.status)
        if change:
            patch = ("--subresource=status", "--type=merge", "--patch", json.dumps({"status": change}))
            kept = self.kubectl("patch", self.kind, self.name, *patch, "-o", "json")["status"]
            assert kept == plan.status  # the schema drops nothing and adds nothing
        return plan

    def until(self, what: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Reconcile until the status is as wanted."""
        for _ in range(60):
            self.reconcile()
            status: dict[str, Any] = self.resource["status"]
            if what(status):
                return status
            time.sleep(0.5)
        raise AssertionError(f"never came: {self.resource['status']}")

    def pod(self) -> dict[str, Any]:
        """The pod the Job controller made."""
        for _ in range(60):
            self.reconcile()
            pods = [c for c in self.children() if c["kind"] == "Pod" and c["status"]["phase"] == "Pending"]
            if pods:
                return pods[0]
            time.sleep(0.5)
        raise AssertionError(f"no pod: {self.children()}")

    def finish(self, said: Document, exit_code: int = 0) -> None:
        """As the kubelet writes it."""
        pod = self.pod()
        now = timestamp(datetime.now(UTC))
        ended = {"exitCode": exit_code, "message": said.canonical(), "startedAt": now, "finishedAt": now}
        container = {"name": "main", "image": "i", "imageID": "i", "ready": False, "restartCount": 0}
        status = {
            "phase": "Failed" if exit_code else "Succeeded",
            "containerStatuses": [{**container, "state": {"terminated": ended}}],
        }
        patch = ("--subresource=status", "--type=merge", "--patch", json.dumps({"status": status}))
        self.kubectl("patch", "pod", pod["metadata"]["name"], *patch)


def reason(status: dict[str, Any], type_: str = "Ready") -> str:
    return str(next(c["reason"] for c in status["conditions"] if c["type"] == type_))


def test_a_dataset_is_built_rejected_and_tried_again(kubectl: Kubectl) -> None:
    it = Played(kubectl, plan_dataset, dataset("orders"))
    it.finish(FailureResult(blame="world", reason="StoreUnavailable", message="no answer"), exit_code=1)
    it.until(lambda s: s["phase"] == "BackingOff")
    it.until(lambda s: s["lastBuild"]["attempt"] == 2)
    it.finish(result())
    status = it.until(lambda s: s["phase"] == "Ready")
    assert status["current"]["version"] == "v-aaaaaaaaaaaa"
    kubectl("annotate", "dataset", "orders", "modelyard.dev/run=1")
    it.until(lambda s: s.get("run") == "1")
    it.finish(rejected())
    status = it.until(lambda s: s["phase"] == "Degraded")
    assert status["current"]["version"] == "v-aaaaaaaaaaaa"
    assert reason(status) == "ExpectationFailed"
    assert len([c for c in it.children() if c["kind"] == "Job"]) == 1


def test_a_training_job_waits_for_a_gpu_and_succeeds(kubectl: Kubectl, node: None) -> None:
    asked = training_job("gpu", "orders").spec(resources={"limits": {"nvidia.com/gpu": "1"}})
    it = Played(kubectl, plan_training, asked, ready_dataset("orders"))
    status = it.until(lambda s: reason(s) == "Unschedulable")
    said = next(c["message"] for c in status["conditions"] if c["type"] == "Ready")
    assert said == "no node has nvidia.com/gpu: 1 free; it starts by itself when one appears"
    report(kubectl, cpu="8", memory="8Gi", pods="20", **{"ephemeral-storage": "99Gi", "nvidia.com/gpu": "1"})
    it.until(lambda s: reason(s) == "Starting")
    it.finish(trained())
    status = it.until(lambda s: s["phase"] == "Succeeded")
    assert status["score"] == "accuracy=0.8612"
    assert reason(status, "Approved") == "Approved"


def test_a_script_that_fails_is_final(kubectl: Kubectl) -> None:
    spec = {"recipe": None, "script": {"inline": "raise SystemExit(3)"}}
    asked = {k: v for k, v in {**training_job("script", "orders")["spec"], **spec}.items() if v is not None}
    resource = own("TrainingJob", "script").spec(**asked)
    it = Played(kubectl, plan_training, resource, ready_dataset("orders"))
    failure = FailureResult(blame="user", reason="UserError", message="train.py ended", exit_code=3)
    it.finish(failure, exit_code=1)
    status = it.until(lambda s: s["phase"] == "Failed")
    assert reason(status, "Stalled") == "UserError"
    assert [c["kind"] for c in it.children()].count("ConfigMap") == 1
