"""Training by recipe: what is published is what was measured, and what cannot be trained on says why."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.store import blob, model_manifest
from modelyard.contract.tasks import TrainTask
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import load_model
from modelyard_kit.onnx_format import OnnxModel
from modelyard_kit.profile import load_profile
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from modelyard_training.train import train
from tests.unit.kit.frames import table_of
from tests.unit.training_image.conftest import Publish
from tests.unit.training_image.data import COLUMNS, rows


def _train(task: TrainTask, **changes: Any) -> Any:
    return train(task.model_copy(update=changes), Reporter(CollectorRegistry()))


@pytest.fixture
def task(publish: Publish) -> TrainTask:
    return publish(COLUMNS, {"train": rows(400, 1), "validation": rows(100, 2), "test": rows(200, 3)})


def test_a_classifier_is_published_with_everything_serving_and_drift_need(
    task: TrainTask, store: Store, tmp_path: Path
) -> None:
    result = _train(task)
    assert set(result.metrics) == {"accuracy", "f1", "rocAuc", "logLoss"}
    assert result.metrics["accuracy"] > 0.75
    assert (result.train_rows, result.test_rows) == (400, 200)
    model = load_model(store, "ns", "churn", result.model_digest, tmp_path / "model")
    manifest = model.manifest
    assert manifest.classes == ["false", "true"]
    assert [column.name for column in manifest.features] == ["x", "loyal", "plan"]
    assert manifest.metrics == result.metrics
    assert manifest.dataset_digest == task.dataset_digest
    assert sum(file.bytes for file in manifest.files) == result.bytes
    assert [len(values) for values in manifest.example.values()] == [3, 3, 3]
    prediction = model.predict(table_of(manifest.example, manifest.features))
    assert set(prediction.values) <= {"false", "true"}
    profile = load_profile(store, result.profile_digest)
    assert [column.name for column in profile.columns] == ["x", "loyal", "plan", "prediction"]
    assert [column.count for column in profile.columns] == [400, 400, 400, 200]  # predictions: of the test rows
    assert profile.sample_digest is not None
    sample = pq.read_table(io.BytesIO(store.blob_bytes(profile.sample_digest)))
    assert (sample.num_rows, sample.column_names) == (400, ["x", "loyal", "plan", "prediction"])


def test_the_graph_serves_and_the_native_file_is_kept_beside_it(task: TrainTask, store: Store, tmp_path: Path) -> None:
    result = _train(task)
    assert result.format == "onnx"
    model = load_model(store, "ns", "churn", result.model_digest, tmp_path)
    assert isinstance(model, OnnxModel)
    assert [file.path for file in model.manifest.files] == ["model.skops", "model.onnx"]
    assert model.manifest.not_served == {"skops": "the ONNX graph gives the same answers for less CPU"}


def test_where_no_graph_answers_alike_the_native_file_serves_and_the_manifest_says_why(
    task: TrainTask, store: Store, tmp_path: Path
) -> None:
    result = _train(task, parameters={"model": "linear"})
    assert result.format == "skops"
    model = load_model(store, "ns", "churn", result.model_digest, tmp_path)
    assert [file.path for file in model.manifest.files] == ["model.skops"]
    assert "it cannot be converted" in model.manifest.not_served["onnx"]


def test_the_same_task_gives_the_same_model(task: TrainTask, store: Store) -> None:
    first, second = (_train(task, seed=7) for _ in range(2))
    assert first.metrics == second.metrics
    assert first.profile_digest == second.profile_digest  # it holds the predictions, too


def test_a_regression_is_measured_as_one(publish: Publish, store: Store, tmp_path: Path) -> None:
    columns = [Column(name="x", type="float64"), Column(name="y", type="float64", role="label")]
    x = [i / 100 for i in range(500)]
    task = publish(columns, {"train": {"x": x, "y": [2 * v for v in x]}})
    result = _train(task, kind_of_task="regression", parameters={"model": "linear"})
    assert set(result.metrics) == {"mae", "rmse", "r2"}
    assert result.metrics["r2"] > 0.99
    assert (result.train_rows, result.test_rows) == (400, 100)  # held out, as there is no other split
    assert load_model(store, "ns", "churn", result.model_digest, tmp_path / "m").manifest.classes == []


def test_without_a_test_split_the_newest_rows_are_held_out(publish: Publish, store: Store) -> None:
    columns = [
        Column(name="day", type="int64", role="time"),
        Column(name="x", type="float64"),
        Column(name="y", type="string", role="label"),
    ]
    # the relation turns over in the newest fifth: only rows held out by time can show it
    together = {
        "day": [*range(80, 100), *range(80)],
        "x": [0.0, 1.0] * 50,
        "y": ["b", "a"] * 10 + ["a", "b"] * 40,
    }
    result = _train(publish(columns, {"train": together}))
    assert result.metrics["accuracy"] == 0.0


def test_a_split_that_was_tampered_with_is_corrupt(task: TrainTask, store: Store) -> None:
    digest = store.get(f"datasets/ns/data/manifests/{task.dataset_digest.removeprefix('sha256:')}.json")
    store.put(blob(json.loads(digest)["files"][0]["digest"]), b"something else")
    with pytest.raises(TaskFailure, match="damaged") as caught:
        _train(task)
    assert (caught.value.blame, caught.value.reason) == ("world", "Corrupt")


LABEL = Column(name="y", type="float64", role="label")
X = Column(name="x", type="float64")


@pytest.mark.parametrize(
    ("columns", "train_rows", "changes", "reason", "words"),
    [
        ([X, LABEL], {"x": [1.0, 2.0], "y": [1.0, None]}, {}, "BadData", "label column y is missing in 1 of 2 rows"),
        ([X, LABEL], {"x": [1.0], "y": [float("nan")]}, {}, "BadData", "label column y is missing"),
        ([X, LABEL], {"x": [1.0] * 9, "y": [1.0] * 9}, {}, "BadData", "is always '1'"),
        ([X, LABEL], {"x": [0.5] * 900, "y": [i / 7 for i in range(900)]}, {}, "BadData", "use task: regression"),
        ([X, LABEL], {"x": [], "y": []}, {}, "BadData", "train has no rows"),
        ([X], {"x": [1.0]}, {}, "MissingColumn", "spec.columns.label"),
        ([LABEL], {"y": [1.0]}, {}, "MissingColumn", "no features"),
        (
            [X, Column(name="y", type="string", role="label")],
            {"x": [1.0] * 9, "y": ["a"] * 9},
            {"kind_of_task": "regression"},
            "BadData",
            "use task: classification",
        ),
        (
            [X, LABEL],
            {"x": [1.0] * 9, "y": [1.0] * 9},
            {"parameters": {"depth": "3"}},
            "UserError",
            "spec.parameters.depth is unknown; there are model, learning_rate",
        ),
        (
            [X, LABEL],
            {"x": [1.0] * 9, "y": [1.0] * 9},
            {"parameters": {"max_iter": "many"}},
            "UserError",
            "spec.parameters.max_iter = 'many' is wrong",
        ),
        (
            [Column(name="prediction", type="float64"), LABEL],
            {"prediction": [1.0], "y": [1.0]},
            {},
            "BadData",
            "may not be named prediction",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_the_users_to_mend(
    publish: Publish, columns: list[Column], train_rows: Any, changes: Any, reason: str, words: str
) -> None:
    with pytest.raises(TaskFailure) as caught:
        _train(publish(columns, {"train": train_rows}), **changes)
    assert (caught.value.blame, caught.value.reason) == ("user", reason)
    assert words in caught.value.message


def test_classes_of_validation_that_training_never_saw_do_not_stop_it(publish: Publish, store: Store) -> None:
    columns = [X, Column(name="y", type="string", role="label")]
    train_rows: dict[str, list[Any]] = {"x": [float(i) for i in range(60)], "y": ["a"] * 30 + ["b"] * 30}
    late: dict[str, list[Any]] = {"x": [1.0, 50.0, 99.0], "y": ["a", "b", "new"]}
    result = _train(publish(columns, {"train": train_rows, "validation": late, "test": late}))
    assert result.metrics["accuracy"] == pytest.approx(2 / 3)
    path = model_manifest("ns", "churn", result.model_digest)
    assert store.get_document(path, ModelManifest, result.model_digest).classes == ["a", "b"]
