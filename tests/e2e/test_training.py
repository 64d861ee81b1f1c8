"""TrainingJobs: recipe, script, and failures that say whose they are."""

from collections.abc import Iterator

import pytest

from tests.e2e.squares import dataset, points, training
from tests.e2e.user import User, condition
from tests.product.product import Product

SCRIPT = """
import os
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression

rows = pd.read_parquet(os.environ["SM_CHANNEL_TRAIN"])
model = LogisticRegression(C=float(os.environ["SM_HP_C"])).fit(rows[["x", "y"]], rows["label"])
skops.io.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.skops"))
"""


@pytest.fixture
def data(user: User) -> str:
    uri = user.put("training/points.parquet", points(2000, 6))
    user.wait(user.apply("Dataset", "points", dataset(uri)), "Ready")
    return "points"


def test_recipe_gives_a_measured_model(user: User, data: str) -> None:
    spec = training(data, objective={"metric": "accuracy", "minimum": "0.9"})
    job = user.wait(user.apply("TrainingJob", "recipe", spec), "Ready")
    status = job["status"]
    assert status["phase"] == "Succeeded"
    assert float(status["metrics"]["accuracy"]) > 0.9
    assert status["datasetDigest"] == user.status("dataset/points")["current"]["digest"]
    assert condition(job, "Approved")["status"] == "True"


def test_script_runs_under_the_sagemaker_contract(user: User, data: str) -> None:
    spec = training(data, recipe=None, script={"inline": SCRIPT}, parameters={"C": "10"})
    job = user.wait(user.apply("TrainingJob", "script", {k: v for k, v in spec.items() if v is not None}), "Ready")
    assert float(job["status"]["metrics"]["accuracy"]) > 0.9
    assert job["status"]["model"]["format"] == "onnx"


def test_script_that_exits_3_is_not_tried_again(user: User, data: str) -> None:
    spec = training(data, script={"inline": "raise SystemExit(3)"})
    del spec["recipe"]
    reference = user.apply("TrainingJob", "exits", spec)
    job = user.wait(reference, "Stalled", "True", "UserError")
    assert "code 3" in condition(job, "Ready")["message"]
    assert job["status"]["attempt"] == 1
    assert "UserError" in user.describe(reference)


def test_image_that_does_not_exist_is_named(user: User, data: str) -> None:
    spec = training(data, script={"inline": "pass"}, image="modelyard/no-such-image:1")
    del spec["recipe"]
    reference = user.apply("TrainingJob", "image", spec)
    user.wait(reference, "Ready", "False", "ImagePull")
    described = user.describe(reference)
    assert "ImagePull" in described
    assert "no-such-image" in described


def test_unmet_objective_fails_with_the_figures(user: User, data: str) -> None:
    spec = training(data, objective={"metric": "accuracy", "minimum": "0.9999"}, parameters={"max_iter": "1"})
    job = user.wait(user.apply("TrainingJob", "unmet", spec), "Stalled", "True", "CriteriaNotMet")
    assert "0.9999" in condition(job, "Ready")["message"]
    assert condition(job, "Approved")["status"] == "False"


@pytest.fixture
def no_gpu(product: Product) -> Iterator[None]:
    product.provider.set_capacity("nvidia.com/gpu", "0")
    yield
    product.provider.set_capacity("nvidia.com/gpu", "0")


@pytest.mark.usefixtures("no_gpu")
def test_pod_waits_for_a_gpu_and_starts_when_one_appears(user: User, product: Product, data: str) -> None:
    spec = training(data, resources={"limits": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}})
    spec["resources"]["requests"] = {"cpu": "100m", "memory": "256Mi"}
    reference = user.apply("TrainingJob", "gpu", spec)
    waiting = user.wait(reference, "Ready", "False", "Unschedulable")
    assert "nvidia.com/gpu" in condition(waiting, "Ready")["message"]
    assert "Unschedulable" in user.describe(reference)
    product.provider.set_capacity("nvidia.com/gpu", "1")
    done = user.wait(reference, "Ready", timeout=180)
    assert done["status"]["attempt"] == 1
