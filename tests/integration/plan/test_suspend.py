"""spec.suspend with the real controllers: pods go, nothing else does, and all comes back."""

import json
from typing import Any

import pytest

from modelyard.plan.dataset import plan_dataset
from modelyard.plan.drift import plan_drift
from modelyard.plan.serving import plan_serving
from modelyard.plan.training import plan_training
from tests.integration.plan.played import Kubectl, Played, reason
from tests.unit.plan.builders import dataset, deployment, monitor, ready_dataset, training_job
from tests.unit.plan.endpoints import model
from tests.unit.plan.monitored import served
from tests.unit.plan.test_dataset import result
from tests.unit.plan.test_training import trained

pytestmark = pytest.mark.integration


def suspend(it: Played, wanted: bool = True) -> None:
    patch = json.dumps({"spec": {"suspend": wanted}})
    it.kubectl("patch", it.kind, it.name, "--type=merge", "--patch", patch)


def assert_suspended(status: dict[str, Any]) -> None:
    told = {c["type"]: c["status"] for c in status["conditions"]}
    assert (told["Ready"], told["Reconciling"], told["Stalled"]) == ("True", "False", "False")


def alive(it: Played, *kinds: str) -> list[str]:
    """Children that are not on their way out."""
    own = [c for c in it.children() if c["kind"] in kinds and "deletionTimestamp" not in c["metadata"]]
    return [c["metadata"]["name"] for c in own]


def test_a_build_is_stopped_and_begins_anew(kubectl: Kubectl) -> None:
    it = Played(kubectl, plan_dataset, dataset("halted"))
    it.pod()
    suspend(it)
    assert_suspended(it.until(lambda s: s["phase"] == "Suspended"))
    it.until(lambda s: not alive(it, "Job", "Pod"))
    kubectl("wait", "dataset", "halted", "--for=condition=Suspended", "--timeout=10s")
    suspend(it, False)
    it.until(lambda s: s["phase"] == "Building")
    it.finish(result())
    status = it.until(lambda s: s["phase"] == "Ready")
    assert status["lastBuild"]["attempt"] == 1


def test_a_run_is_stopped_and_goes_on_with_another_attempt(kubectl: Kubectl, node: None) -> None:
    asked = training_job("halted", "orders").spec(failurePolicy={"maxRestarts": 0})
    it = Played(kubectl, plan_training, asked, ready_dataset("orders"))
    it.pod()
    pinned = it.resource["status"]["datasetDigest"]
    suspend(it)
    assert_suspended(it.until(lambda s: s["phase"] == "Suspended"))
    it.until(lambda s: not alive(it, "Job", "Pod"))
    suspend(it, False)
    it.until(lambda s: s["attempt"] == 2)
    it.finish(trained())
    status = it.until(lambda s: s["phase"] == "Succeeded")
    assert (status["datasetDigest"], status["suspendedAttempts"]) == (pinned, 1)


def test_an_endpoint_goes_to_no_server_and_back_under_its_old_address(kubectl: Kubectl) -> None:
    it = Played(kubectl, plan_serving, deployment("halted", "t"), model("t", "a", 1))
    it.until(lambda s: len(alive(it, "Pod")) == 2)
    address = kubectl("get", "service", "halted", "-o", "json")["spec"]["clusterIP"]
    suspend(it)
    assert_suspended(it.until(lambda s: s["phase"] == "Suspended"))
    it.until(lambda s: not alive(it, "Pod"))
    assert kubectl("get", "service", "halted", "-o", "json")["spec"]["clusterIP"] == address
    suspend(it, False)
    first = it.reconcile().status
    assert (first["phase"], reason(first)) == ("Resuming", "Starting")
    status = it.until(lambda s: len(alive(it, "Pod")) == 2)  # of later turns it may be said that no node has room
    assert (status["phase"], status["stable"]["revision"]) == ("Resuming", "aaaaaaaa")


def test_a_monitor_suspends_its_cron_job(kubectl: Kubectl) -> None:
    it = Played(kubectl, plan_drift, monitor("halted"), served(), training_job())
    it.until(lambda s: alive(it, "CronJob"))
    suspend(it)
    assert_suspended(it.until(lambda s: s["phase"] == "Suspended"))
    (name,) = alive(it, "CronJob")
    assert kubectl("get", "cronjob", name, "-o", "json")["spec"]["suspend"] is True
    suspend(it, False)
    it.until(lambda s: s["phase"] == "Learning")
    assert kubectl("get", "cronjob", name, "-o", "json")["spec"]["suspend"] is False
