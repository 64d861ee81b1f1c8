"""Builds and training attempts on a real API server, Job controller and scheduler; the test plays the kubelet."""

import pytest

from modelyard.contract.results import FailureResult
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.training import plan_training
from tests.integration.plan.played import Kubectl, Played, reason, report
from tests.unit.plan.builders import dataset, own, ready_dataset, training_job
from tests.unit.plan.test_dataset import rejected, result
from tests.unit.plan.test_training import trained

pytestmark = pytest.mark.integration


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
    assert said.startswith("no node has nvidia.com/gpu: 1 free; it starts by itself when one appears (see docs/")
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
