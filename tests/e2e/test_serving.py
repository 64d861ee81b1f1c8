"""ModelDeployments: protocols, capture, and canaries that are promoted or rolled back."""

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import obstore
import pytest

from tests.e2e.caller import calling
from tests.e2e.client import Client, client, predicted_over_grpc, predictions
from tests.e2e.squares import dataset, points, training
from tests.e2e.user import User, condition
from tests.product.lake import bucket

ROLLOUT = {
    "steps": [{"weight": 50, "hold": "3s"}, {"weight": 100}],
    "checks": [{"metric": "errorRate", "max": "0.01"}, {"metric": "disagreement", "max": "0.2"}],
    "minRequests": 10,
}

SERVED = {
    "model": {"trainingJobRef": {"name": "served"}},
    "replicas": {"min": 1},
    "rollout": ROLLOUT,
    "grpc": True,
}


@pytest.fixture
def endpoint(user: User) -> str:
    """A served model of 2,000 points; returns the reference of its ModelDeployment."""
    uri = user.put("serving/points.parquet", points(2000, 7))
    user.apply("Dataset", "served", dataset(uri))
    user.apply("TrainingJob", "served", training("served"))
    reference = user.apply("ModelDeployment", "served", SERVED)
    user.wait(reference, "Ready", timeout=240)
    return reference


def traffic_until(user: User, reference: str, ask: Client, ended: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Single requests, each under an id of its own, until the rollout has ended: at most 180 seconds."""
    rows, numbers = points(3000, 8), count()
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        for _ in range(20):
            number = next(numbers)
            place = number % len(rows)
            ask.predict(rows.iloc[place : place + 1], f"canary-{number}")
        status = user.status(reference)
        if ended(status):
            return status
    pytest.fail(f"the rollout did not end: {user.status(reference)}")


def test_endpoint_speaks_v2_grpc_and_sagemaker_and_is_captured(
    user: User, endpoint: str, eventually: Callable[..., Any]
) -> None:
    rows = points(20, 9)
    with client(user.product, user.namespace, "served") as ask:
        assert ask.http.get("/v2/health/ready").status_code == 200
        assert ask.http.get("/ping").status_code == 200
        assert ask.http.get("/docs").status_code == 200
        assert "modelyard_" in ask.http.get("/metrics").text
        metadata = ask.http.get("/v2/models/served").json()
        assert [tensor["name"] for tensor in metadata["inputs"]] == ["x", "y"]
        right = [p == label for p, label in zip(predictions(ask.predict(rows, "known")), rows["label"], strict=True)]
        assert sum(right) >= 18
        answer = ask.http.post("/invocations", json={"instances": rows[["x", "y"]].to_numpy().tolist()})
        assert len(answer.json()["predictions"]) == 20
        assert predicted_over_grpc(user.product, user.namespace, "served", 0.2, 0.3) == ["no"]
        assert predicted_over_grpc(user.product, user.namespace, "served", 0.8, 0.9) == ["yes"]
        wrong = ask.http.post("/v2/models/served/infer", json={"inputs": [{"name": "z", "shape": [1], "data": [1]}]})
        assert wrong.status_code == 400
        assert "z" in wrong.json()["error"]

    def captured() -> list[Any]:
        with bucket(user.product, "modelyard") as store:
            return list(obstore.list(store, f"captures/{user.namespace}/served/").collect())

    eventually(captured)


def test_changed_model_takes_over_by_canary(user: User, endpoint: str) -> None:
    old = user.status(endpoint)["stable"]["revision"]
    user.apply("TrainingJob", "served", training("served", parameters={"max_iter": "60"}))
    user.wait(endpoint, "Reconciling", "True", "RollingOut", timeout=180)
    with client(user.product, user.namespace, "served") as ask:
        status = traffic_until(user, endpoint, ask, lambda s: s["stable"]["revision"] != old)
    assert status["previous"]["revision"] == old
    user.wait(endpoint, "Ready")
    with client(user.product, user.namespace, "served") as ask:
        assert len(predictions(ask.predict(points(3, 10), "after"))) == 3


def test_canary_that_disagrees_is_rolled_back(user: User, endpoint: str, eventually: Callable[..., Any]) -> None:
    old = user.status(endpoint)["stable"]["revision"]
    uri = user.put("serving/flipped.parquet", points(2000, 11, flipped=True))
    user.apply("Dataset", "flipped", dataset(uri))
    user.apply("TrainingJob", "served", training("flipped"))
    user.wait(endpoint, "Reconciling", "True", "RollingOut", timeout=180)
    with client(user.product, user.namespace, "served") as ask:
        status = traffic_until(user, endpoint, ask, lambda s: bool(s.get("rolledBack")))
        assert "disagreement" in status["rolledBack"][-1]["message"]
        assert status["stable"]["revision"] == old
        rows = points(20, 12)

        def right(request_id: str) -> int:
            answers = predictions(ask.predict(rows, request_id))
            return sum(p == label for p, label in zip(answers, rows["label"], strict=True))

        # Servers are told within a second or two of the verdict; from then on nobody gets the candidate's answers.
        numbers = count()
        eventually(
            lambda: min(right(f"still-{next(numbers)}") for _ in range(5)), lambda least: least >= 18, timeout=20
        )
        assert min(right(f"from-now-on-{i}") for i in range(20)) >= 18
    resource = user.wait(endpoint, "RolloutHealthy", "False", "RolledBack")
    assert condition(resource, "Ready")["status"] == "True"
    assert "RolledBack" in user.describe(endpoint)


def test_nobody_notices_changed_pods_a_deleted_pod_and_a_new_model(
    user: User, endpoint: str, images: dict[str, str]
) -> None:
    old = user.status(endpoint)["stable"]["revision"]

    def pods() -> set[str]:
        selector = ("--selector", f"modelyard.dev/revision={old}", "--output", "name")
        return set(user.kubectl("get", "pods", *selector).split())

    with calling(user, images["serving"], "served", "served") as calls:
        before = pods()
        changed = {"replicas": {"min": 2}, "resources": {"requests": {"cpu": "60m"}}}
        user.apply("ModelDeployment", "served", {**SERVED, **changed})
        user.kubectl("wait", *before, "--for=delete", "--timeout=120s")
        user.wait(endpoint, "Ready")
        one, _ = sorted(pods())
        user.kubectl("delete", one, "--wait", "--timeout=60s")
        user.wait(endpoint, "Ready")
        user.apply("TrainingJob", "served", training("served", parameters={"max_iter": "60"}))
        new = user.until(endpoint, lambda s: s["stable"]["revision"] != old, timeout=240)["stable"]["revision"]
        user.wait(endpoint, "Ready")
    assert calls.failed == []
    assert calls.versions.keys() == {old, new}
    assert min(calls.versions.values()) >= 10
