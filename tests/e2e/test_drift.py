"""DriftMonitors: no traffic is not "no drift"; decay leads to a retraining that has to prove itself."""

from contextlib import nullcontext
from typing import Any

import pytest

from tests.e2e.client import client
from tests.e2e.leader import leader_killed
from tests.e2e.squares import dataset, points, training
from tests.e2e.user import User, condition

MONITOR = {
    "modelDeploymentRef": {"name": "watched"},
    "window": {"rows": 400, "minRows": 100},
    "checks": {"performance": {"metric": "accuracy", "maxDrop": "0.1"}},
    "retrain": {"action": "Retrain", "gate": {"newerRows": 200}, "cooldown": "1m"},
}


@pytest.fixture
def monitor(user: User) -> str:
    uri = user.put("drift/points.parquet", points(2000, 13))
    user.apply("Dataset", "watched", dataset(uri))
    user.apply("TrainingJob", "watched", training("watched"))
    spec = {
        "model": {"trainingJobRef": {"name": "watched"}},
        "replicas": {"min": 1},
        "rollout": {"steps": []},
    }
    user.wait(user.apply("ModelDeployment", "watched", spec), "Ready", timeout=240)
    return user.apply("DriftMonitor", "watched", MONITOR)


def check(user: User, reference: str, label: str) -> dict[str, Any]:
    """Run a check now; returns it."""
    user.wait(reference, "Ready")
    old = user.status(reference).get("lastCheck", {}).get("job")
    user.kubectl("annotate", reference, f"modelyard.dev/run={label}", "--overwrite")
    status = user.until(reference, lambda s: s.get("lastCheck", {}).get("job") not in (None, old))
    last: dict[str, Any] = status["lastCheck"]
    return last


def live(user: User, seed: int, *, flipped: bool) -> None:
    """400 labelled rows of traffic."""
    rows = points(400, seed, flipped=flipped)
    with client(user.product, user.namespace, "watched") as ask:
        for start in range(0, 400, 50):
            part, request_id = rows.iloc[start : start + 50], f"live-{seed}-{start}"
            ask.predict(part, request_id)
            ask.labels(part, request_id)


def test_window_without_traffic_is_never_no_drift(user: User, monitor: str) -> None:
    last = check(user, monitor, "empty")
    assert last["verdict"] == "NoRows"
    assert condition(user.get(monitor), "DriftDetected")["status"] == "Unknown"
    assert "NoRows" in user.describe(monitor)


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "leader-killed-every-20-s"])
def test_decay_leads_to_a_retrained_model_that_passed_the_gate(user: User, monitor: str, killed: bool) -> None:
    with leader_killed(user.product, every=20) if killed else nullcontext():
        _decay_to_promotion(user, monitor)
    jobs = user.kubectl("get", "trainingjobs", "-l", "modelyard.dev/family=watched", "-o", "name")
    assert len(jobs.split()) == 1


def _decay_to_promotion(user: User, monitor: str) -> None:
    live(user, 14, flipped=True)
    user.put("drift/points.parquet", points(2000, 15, flipped=True))
    for attempt in range(6):  # captured rows reach the store at the latest after ten seconds
        finding = check(user, monitor, f"decay-{attempt}")
        if finding["verdict"] == "Degraded":
            break
    assert finding["verdict"] == "Degraded"
    assert float(finding["performance"]["value"]) < 0.2

    job = user.until(monitor, lambda s: "retrain" in s, timeout=30)["retrain"]["trainingJob"]
    trained = user.wait(f"trainingjob/{job}", "Ready", timeout=240)
    assert trained["spec"]["trigger"]["driftMonitorRef"]["name"] == "watched"
    live(user, 16, flipped=True)

    approved = user.wait(f"trainingjob/{job}", "Approved", timeout=300)
    gate = user.status(monitor)["retrain"]["gate"]
    assert gate["verdict"] == "Promote"
    assert float(gate["challenger"]) > 0.9
    assert approved["status"]["datasetDigest"] == user.status("dataset/watched")["current"]["digest"]
    user.until("modeldeployment/watched", lambda s: s["stable"]["trainingJob"] == job)
