"""What bring-your-container.md shows, in real images on a real node: answered, changed under load, and ended."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests import environment
from tests.e2e.caller import calling
from tests.e2e.client import client, predictions
from tests.e2e.prices import body, dataset, prices
from tests.e2e.squares import training
from tests.e2e.user import User, condition
from tests.integration.clients.test_clients import TOLD_TO_BOTO3
from tests.own_container.image import build_and_load
from tests.product.forward import forward
from tests.product.product import ROOT, Product

ROWS = prices(40, 3)
WITHOUT_REPLICAS = {"model": {"trainingJobRef": {"name": "pricing"}}, "rollout": {"steps": [], "checks": []}}
BOTO3 = ROOT / "tests" / "integration" / "clients" / "sagemaker_program.py"


@pytest.fixture(scope="module")
def image(product: Product) -> str:
    return build_and_load(product.provider)


@pytest.fixture(scope="module", autouse=True)
def model(product: Product) -> Iterator[None]:
    """The model that all of them bring a container for."""
    owner = User(product, "e2e")
    uri = owner.put("own/prices.parquet", prices(2000, 2))
    owner.apply("Dataset", "pricing", dataset(uri))
    job = owner.apply("TrainingJob", "pricing", training("pricing"))
    assert owner.wait(job, "Ready", timeout=240)["status"]["model"]["format"] == "onnx"
    yield
    owner.clean_up()


def deployment(replicas: int, **container: Any) -> dict[str, Any]:
    """As the page has it, for a node of two cores."""
    given = {"resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "256Mi"}}, **container}
    return {**WITHOUT_REPLICAS, "replicas": {"min": replicas}, "container": given}


def toolkit(image: str, replicas: int = 1, **variables: str) -> dict[str, Any]:
    environment = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", **variables}
    return deployment(replicas, image=image, environment=environment, startupLimit="5m")


def seen_by_boto3(user: User, name: str) -> dict[str, Any]:
    with forward(user.product, user.namespace, f"service/{name}", 80) as url:
        command = [str(environment.python("clients")), "-W", "ignore", str(BOTO3), url.rpartition(":")[2]]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def pods(user: User, name: str) -> set[str]:
    selector = ("--selector", f"modelyard.dev/name={name},modelyard.dev/role=server", "--output", "name")
    return set(user.kubectl("get", "pods", *selector).split())


def test_sagemakers_toolkit_answers_and_nobody_notices_another_environment_and_a_deleted_pod(
    user: User, image: str, images: dict[str, str]
) -> None:
    reference = user.apply("ModelDeployment", "demo", toolkit(image))
    resource = user.wait(reference, "Ready", timeout=240)
    with client(user.product, user.namespace, "demo") as ask:
        answer = ask.http.post("/v2/models/demo/infer", json=body(ROWS))
        assert answer.status_code == 200, answer.text
        assert predictions(answer.json()) == ROWS["label"].tolist()
    assert seen_by_boto3(user, "demo") == {**TOLD_TO_BOTO3, "variant": resource["status"]["stable"]["revision"]}
    with calling(user, images["serving"], "demo", "demo", body(ROWS[:1])) as calls:
        before = pods(user, "demo")
        user.apply("ModelDeployment", "demo", toolkit(image, 2, PRICES="new"))
        user.kubectl("wait", *before, "--for=delete", "--timeout=180s")
        user.wait(reference, "Ready", timeout=180)
        one, _ = sorted(pods(user, "demo"))
        user.kubectl("delete", one, "--wait", "--timeout=90s")
        user.wait(reference, "Ready", timeout=180)
    assert calls.failed == []
    assert sum(calls.versions.values()) >= 100


def test_a_class_in_a_users_image_answers_with_its_own_rule(user: User, image: str) -> None:
    reference = user.apply("ModelDeployment", "pricing", deployment(1, image=image, pythonClass="pricing:Model"))
    user.wait(reference, "Ready", timeout=180)
    outlier = ROWS[:1].assign(price=[900.0])
    with client(user.product, user.namespace, "pricing") as ask:

        def asked(rows: Any) -> list[Any]:
            answer = ask.http.post("/v2/models/pricing/infer", json=body(rows))
            assert answer.status_code == 200, answer.text
            return predictions(answer.json())

        assert asked(ROWS) == ROWS["label"].tolist()
        assert asked(outlier) == ["low"]
        assert asked(outlier.assign(price=[1001.0])) == ["high"]


def warnings(user: User, resource: dict[str, Any]) -> list[str]:
    """The reasons of the Warnings about a resource, as often as each was given. Others of its name had others."""
    about = f"involvedObject.uid={resource['metadata']['uid']},type=Warning"
    events = user.get("events", "--field-selector", about)["items"]
    return [event["reason"] for event in events for _ in range((event.get("series") or {}).get("count", 1))]


def test_containers_that_fail_are_told_once_with_their_own_words_until_they_are_mended(user: User, image: str) -> None:
    ends = user.apply("ModelDeployment", "ends", deployment(1, image=image, pythonClass="pricing:Absent"))
    stops = user.apply("ModelDeployment", "stops", deployment(1, image=image, pythonClass="sys:exit"))
    empty = user.apply("ModelDeployment", "empty", toolkit(image, SAGEMAKER_PROGRAM="absent.py"))

    ended = user.wait(ends, "Stalled", "True", "CrashLoop")  # after three restarts
    message = condition(ended, "Ready")["message"]
    assert "exit code 1 (3 restarts): “AttributeError: module 'pricing' has no attribute 'Absent'”" in message
    assert "-c model has more" in message
    stopped = user.wait(stops, "Stalled", "True", "CrashLoop")
    assert re.search(r"exit code 0 \([34] restarts\), and a server goes on", condition(stopped, "Ready")["message"])
    fails = user.wait(empty, "Stalled", "True", "UserError")
    assert "500 to /invocations: “Please provide a model_fn" in condition(fails, "Ready")["message"]

    user.apply("ModelDeployment", "ends", deployment(1, image=image, pythonClass="pricing:Model"))
    user.wait(ends, "Ready")
    assert [warnings(user, told) for told in (ended, stopped, fails)] == [["CrashLoop"], ["CrashLoop"], ["UserError"]]
