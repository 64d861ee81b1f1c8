"""The models of the grid, fitted on rows that are made up, and published as training publishes them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
from modelyard_kit.model import LoadedModel, open_model, publish_file
from modelyard_kit.onnx_format import OnnxModel
from modelyard_kit.skops_format import SklearnModel, save_model
from modelyard_kit.store import Store
from modelyard_kit.tabular import arrow_schema, table_frame
from modelyard_training.export import export

ROWS = 2000
TREES = 200  # of a booster
NAMESPACE, JOB = "bench", "job"


@dataclass(frozen=True)
class Model:
    """`target`: CPU per request of one row at 32 connections, in bare echoes. `booster`: whose file it is saved as."""

    name: str
    features: int
    estimator: Callable[[], Any]
    target: float
    words: int = 0  # columns of text, among the features
    booster: Literal["xgboost", "lightgbm"] | None = None


def _pipeline() -> Any:
    numbers, words = [f"f{n}" for n in range(6)], ["f6", "f7", "f8"]
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = ColumnTransformer([("n", scaled, numbers), ("w", one_hot, words)])
    return make_pipeline(parts, HistGradientBoostingClassifier(max_iter=100))


class XGBoost:
    def fit(self, matrix: Any, truth: Any, path: Path) -> None:
        import xgboost

        given = {"objective": "binary:logistic", "nthread": 1}
        xgboost.train(given, xgboost.DMatrix(matrix, truth), TREES).save_model(path)


class LightGBM:
    def fit(self, matrix: Any, truth: Any, path: Path) -> None:
        import lightgbm

        given = {"objective": "binary", "num_threads": 1, "verbosity": -1}
        lightgbm.train(given, lightgbm.Dataset(matrix, truth), TREES).save_model(path)


GRID = (
    Model("LogReg", 4, lambda: LogisticRegression(max_iter=1000), 1.6),
    Model("RandomForest(100)", 4, lambda: RandomForestClassifier(100, random_state=0), 1.6),
    Model("HistGradientBoosting", 20, lambda: HistGradientBoostingClassifier(max_iter=100), 1.7),
    Model("XGBoost(200)", 4, XGBoost, 2.0, booster="xgboost"),
    Model("LightGBM(200)", 4, LightGBM, 2.6, booster="lightgbm"),
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


def published(store: Store, model: Model, folder: Path) -> tuple[str, LoadedModel, OnnxModel]:
    """The digest of the model, the native one and its graph, which serves. Raises NoExportError."""
    bare = ModelManifest(
        format=model.booster or "skops",
        task="classification",
        files=[],
        features=columns(model),
        label=Column(name="y", type="string", role="label"),
        classes=["no", "yes"],
        metrics={},
        profile_digest="",
        dataset_name="made-up",
        dataset_digest="",
        created_at="",
        example={name: values[:2] for name, values in rows(model, 0).to_pydict().items()},
    )
    path, native = _boosted(model, bare, folder) if model.booster else _estimated(model, bare, folder)
    exported = export(native, rows(model, 1), rows(model, 2), folder)
    files = [publish_file(store, each) for each in (path, folder / "model.onnx")]
    complete = exported.manifest.model_copy(update={"files": files})
    digest = digest_of(complete.wire())
    store.put_manifest(model_manifest(NAMESPACE, JOB, digest), complete)
    return digest, native, exported


def _estimated(model: Model, manifest: ModelManifest, folder: Path) -> tuple[Path, LoadedModel]:
    estimator = model.estimator().fit(table_frame(rows(model, 0), columns(model)), truth(model))
    path, types = save_model(estimator, folder)
    return path, SklearnModel(manifest.model_copy(update={"trusted_types": types}), estimator)


def _boosted(model: Model, manifest: ModelManifest, folder: Path) -> tuple[Path, LoadedModel]:
    matrix = table_frame(rows(model, 0), columns(model)).to_numpy()
    path = folder / ("model.ubj" if model.booster == "xgboost" else "model.txt")
    model.estimator().fit(matrix, truth(model) == "yes", path)
    return path, open_model(path, manifest)
