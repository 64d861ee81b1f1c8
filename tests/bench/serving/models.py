"""The models of the grid, fitted on rows that are made up, and published as training publishes them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.store import model_manifest
from modelyard_kit.model import publish_file
from modelyard_kit.onnx_format import OnnxModel
from modelyard_kit.skops_format import SklearnModel, save_model
from modelyard_kit.store import Store
from modelyard_kit.tabular import arrow_schema, table_frame
from modelyard_training.export import export

ROWS = 2000
NAMESPACE, JOB = "bench", "job"


@dataclass(frozen=True)
class Model:
    """`target`: CPU per request of one row at 32 connections, in bare echoes."""

    name: str
    features: int
    estimator: Callable[[], Any]
    target: float
    words: int = 0  # columns of text, among the features


def _pipeline() -> Any:
    numbers, words = [f"f{n}" for n in range(6)], ["f6", "f7", "f8"]
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = ColumnTransformer([("n", scaled, numbers), ("w", one_hot, words)])
    return make_pipeline(parts, HistGradientBoostingClassifier(max_iter=100))


GRID = (
    Model("LogReg", 4, lambda: LogisticRegression(max_iter=1000), 1.6),
    Model("RandomForest(100)", 4, lambda: RandomForestClassifier(100, random_state=0), 1.6),
    Model("HistGradientBoosting", 20, lambda: HistGradientBoostingClassifier(max_iter=100), 1.7),
    Model("mixed-type pipeline", 9, _pipeline, 2.8, words=3),
)


def columns(model: Model) -> list[Column]:
    kinds = ["float64"] * (model.features - model.words) + ["string"] * model.words
    return [Column(name=f"f{n}", type=kind, nullable=False) for n, kind in enumerate(kinds)]


def rows(model: Model, seed: int) -> pa.Table:
    """Numbers in steps of 1/8, which float32 holds exactly: what is compared is the servers, not their rounding."""
    rng = np.random.default_rng(seed)
    made = {
        column.name: rng.choice(["red", "green", "blue"], ROWS).tolist()
        if column.type == "string"
        else (rng.integers(-32, 32, ROWS) / 8).tolist()
        for column in columns(model)
    }
    return pa.table(made, schema=arrow_schema(columns(model)))


def truth(model: Model) -> Any:
    """The class of each row that models are fitted on."""
    numbers = table_frame(rows(model, 0), columns(model)).select_dtypes("float64").to_numpy()
    return np.where(numbers[:, :4].sum(axis=1) > 0, "yes", "no").astype(object)


def published(store: Store, model: Model, folder: Path) -> tuple[str, SklearnModel, OnnxModel]:
    """The digest of the model, the native one and its graph, which serves. Raises NoExportError."""
    table = rows(model, 0)
    estimator = model.estimator().fit(table_frame(table, columns(model)), truth(model))
    path, types = save_model(estimator, folder)
    manifest = ModelManifest(
        format="skops",
        task="classification",
        files=[],
        trusted_types=types,
        features=columns(model),
        label=Column(name="y", type="string", role="label"),
        classes=["no", "yes"],
        metrics={},
        profile_digest="",
        dataset_name="made-up",
        dataset_digest="",
        created_at="",
        example={name: values[:2] for name, values in table.to_pydict().items()},
    )
    native = SklearnModel(manifest, estimator)
    exported = export(native, rows(model, 1), rows(model, 2), folder)
    files = [publish_file(store, each) for each in (path, folder / "model.onnx")]
    complete = exported.manifest.model_copy(update={"files": files})
    digest = digest_of(complete.wire())
    store.put_manifest(model_manifest(NAMESPACE, JOB, digest), complete)
    return digest, native, exported
