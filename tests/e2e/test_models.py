"""Models of every framework are served; files that are not what they say are refused, by training and by servers."""

from typing import Any

import obstore
import pytest

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.store import blob, model_manifest
from tests.e2e.client import client, predictions
from tests.e2e.models import HOSTILE, NATIVE, PICKLED
from tests.e2e.squares import dataset, points, training
from tests.e2e.user import User, condition
from tests.product.lake import bucket

SERVED = {"replicas": {"min": 1}, "rollout": {"steps": [], "checks": []}}


@pytest.fixture
def data(user: User) -> str:
    uri = user.put("models/points.parquet", points(2000, 6))
    user.wait(user.apply("Dataset", "points", dataset(uri)), "Ready")
    return "points"


def scripted(data: str, code: str) -> dict[str, Any]:
    spec = training(data, script={"inline": code})
    del spec["recipe"]
    return spec


def stored_file(user: User, job: str) -> str:
    """Where the file lies that serves of a job's model."""
    digest = user.status(f"trainingjob/{job}")["model"]["digest"]
    with bucket(user.product, "modelyard") as store:
        document = bytes(obstore.get(store, model_manifest(user.namespace, job, digest)).bytes())
    return blob(ModelManifest.model_validate_json(document).files[0].digest)


def test_models_of_every_framework_are_served_from_their_own_files(user: User, data: str) -> None:
    for form, code in NATIVE.items():
        user.apply("TrainingJob", form, scripted(data, code))
        user.apply("ModelDeployment", form, {"model": {"trainingJobRef": {"name": form}}, **SERVED})
    rows = points(40, 9)
    for form in NATIVE:
        job = user.wait(f"trainingjob/{form}", "Ready", timeout=240)
        assert job["status"]["model"]["format"] == form
        user.wait(f"modeldeployment/{form}", "Ready", timeout=240)
        with client(user.product, user.namespace, form) as ask:
            together = predictions(ask.predict(rows, "together"))
            alone = [predictions(ask.predict(rows.iloc[i : i + 1], f"alone-{i}"))[0] for i in range(10)]
        assert together[:10] == alone
        assert sum(p == label for p, label in zip(together, rows["label"], strict=True)) >= 34


def test_a_pickle_is_served_where_job_endpoint_and_chart_allow_it(user: User, data: str) -> None:
    """The chart of these tests allows it; that of a pickle which nobody asked for is below."""
    user.apply("TrainingJob", "pickled", {**scripted(data, PICKLED), "allowUnsafeFormats": True})
    spec = {"model": {"trainingJobRef": {"name": "pickled"}}, **SERVED}
    allowed = user.apply("ModelDeployment", "allowed", {**spec, "allowUnsafeFormats": True})
    refused = user.apply("ModelDeployment", "refused", spec)
    user.wait(allowed, "Ready", timeout=240)
    assert user.status("trainingjob/pickled")["model"]["format"] == "pickle"
    rows = points(40, 9)
    with client(user.product, user.namespace, "allowed") as ask:
        found = predictions(ask.predict(rows, "pickled"))
    assert sum(p == label for p, label in zip(found, rows["label"], strict=True)) >= 34
    told = user.wait(refused, "Stalled", "True", "UnsafeModel", timeout=180)
    assert "spec.allowUnsafeFormats" in condition(told, "Ready")["message"]
    user.apply("ModelDeployment", "refused", {**spec, "allowUnsafeFormats": True})
    user.wait(refused, "Ready", timeout=240)


def test_a_file_that_is_not_what_it_says_fails_its_training_once(user: User, data: str) -> None:
    for what, (code, _, _) in HOSTILE.items():
        user.apply("TrainingJob", what, scripted(data, code))
    for what, (_, reason, words) in HOSTILE.items():
        job = user.wait(f"trainingjob/{what}", "Stalled", "True", reason, timeout=240)
        assert words in condition(job, "Ready")["message"]
        assert job["status"]["attempt"] == 1


@pytest.mark.parametrize("spoilt", ["truncated", "flipped"])
def test_a_stored_file_that_changed_is_not_served(user: User, data: str, spoilt: str) -> None:
    """The pods that run go on; a new one says what is wrong, and serves when that is mended."""
    user.apply("TrainingJob", "stored", scripted(data, NATIVE["xgboost"]))
    reference = user.apply("ModelDeployment", "stored", {"model": {"trainingJobRef": {"name": "stored"}}, **SERVED})
    user.wait(reference, "Ready", timeout=240)
    path = stored_file(user, "stored")
    with bucket(user.product, "modelyard") as store:
        good = bytes(obstore.get(store, path).bytes())
        middle = len(good) // 2
        changed = (
            good[:middle] if spoilt == "truncated" else good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
        )
        obstore.put(store, path, changed)
    user.kubectl(
        "delete", "pods", "--selector", "modelyard.dev/name=stored,modelyard.dev/role=server", "--wait", "--timeout=60s"
    )
    told = user.wait(reference, "Ready", "False", "Corrupt", timeout=180)
    assert "sha256" in condition(told, "Ready")["message"]
    with bucket(user.product, "modelyard") as store:
        obstore.put(store, path, good)
    user.wait(reference, "Ready", timeout=240)
