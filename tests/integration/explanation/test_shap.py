"""Attributions of real models are those of shap's TreeExplainer(feature_perturbation="interventional")."""

import json
import subprocess
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import xgboost
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)

from modelyard.contract.manifest import ModelManifest
from modelyard_kit import lightgbm_format, onnx_format, xgboost_format
from modelyard_serving.explanation.budget import Budget
from modelyard_serving.explanation.tree_model import TreeModel
from modelyard_training.boosted_graph import boosted_graph
from modelyard_training.export import convert
from tests import environment
from tests.unit.serving_image.explanations import floats, manifest_of, outputs

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # the first one installs it

BACKGROUND, ROWS = 100, 20
DATA = {"two": load_breast_cancer, "three": load_wine, "value": load_diabetes}
SKLEARN = {
    "random forest": ("two", RandomForestClassifier(50, random_state=0)),
    "random forest of three classes": ("three", RandomForestClassifier(50, random_state=0)),
    "extra trees": ("value", ExtraTreesRegressor(30, max_depth=8, random_state=0)),
    "gradient boosting": ("two", GradientBoostingClassifier(n_estimators=50, random_state=0)),
    "histogram boosting": ("two", HistGradientBoostingClassifier(max_iter=50, random_state=0)),
    "histogram boosting of a value": ("value", HistGradientBoostingRegressor(max_iter=50, random_state=0)),
}


@pytest.fixture(scope="module")
def python() -> Path:
    return environment.python("shap")


def data(name: str) -> tuple[Any, Any]:
    """Ranks: halves between them are thresholds that float32 has, too, so that shap's trees in float64 branch alike."""
    rows, wanted = DATA[name](return_X_y=True)
    return rankdata(rows, method="dense", axis=0).astype(np.float64), wanted


def test_sklearns_ensembles_are_explained_as_shap_does(python: Path, tmp_path: Path) -> None:
    cases = []
    for name, (kind, estimator) in SKLEARN.items():
        folder = tmp_path / name
        folder.mkdir()
        rows, wanted = data(kind)
        estimator.fit(rows, wanted)
        joblib.dump(estimator, folder / "model.joblib")
        (folder / "model.onnx").write_bytes(convert(estimator, floats(rows.shape[1])))
        cases.append((folder, kind))
    compare(python, cases)


def test_xgboosts_models_are_explained_as_shap_does(python: Path, tmp_path: Path) -> None:
    cases = []
    for kind in DATA:
        folder = tmp_path / kind
        folder.mkdir()
        rows, wanted = data(kind)
        objective = {"two": "binary:logistic", "three": "multi:softprob", "value": "reg:squarederror"}[kind]
        # XGBoost estimates a base for each class unless it is told one, and shap takes one for all of them.
        more = {"num_class": 3, "base_score": 0.5} if kind == "three" else {}
        given = {"objective": objective, "max_depth": 4, **more}
        xgboost.train(given, xgboost.DMatrix(rows, wanted), 30).save_model(folder / "model.ubj")
        model = xgboost_format.load(folder / "model.ubj", manifest(kind, format="xgboost"))
        (folder / "model.onnx").write_bytes(boosted_graph(model))
        cases.append((folder, kind))
    compare(python, cases)


def test_lightgbms_models_are_explained_as_shap_does(python: Path, tmp_path: Path) -> None:
    cases = []
    for kind in DATA:
        folder = tmp_path / kind
        folder.mkdir()
        rows, wanted = data(kind)
        kind_of = LGBMRegressor if kind == "value" else LGBMClassifier
        trained = kind_of(n_estimators=30, verbosity=-1, n_jobs=1).fit(rows, wanted)
        joblib.dump(
            trained, folder / "model.joblib"
        )  # of a booster that is read from its file shap takes one class only
        trained.booster_.save_model(folder / "model.txt")
        model = lightgbm_format.load(folder / "model.txt", manifest(kind, format="lightgbm"))
        (folder / "model.onnx").write_bytes(boosted_graph(model))
        cases.append((folder, kind))
    compare(python, cases)


def manifest(kind: str, **more: Any) -> ModelManifest:
    classes = {"two": ["0", "1"], "three": ["0", "1", "2"], "value": []}[kind]
    return manifest_of(floats(data(kind)[0].shape[1]), classes, **more)


def compare(python: Path, cases: list[tuple[Path, str]]) -> None:
    for folder, kind in cases:
        rows = data(kind)[0]
        order = np.random.default_rng(0).permutation(len(rows))
        np.save(folder / "background.npy", rows[order[:BACKGROUND]])
        np.save(folder / "rows.npy", rows[order[-ROWS:]])
    command = [str(python), "-W", "ignore", str(Path(__file__).with_name("shap_program.py"))]
    asked = subprocess.run(
        [*command, *(str(folder) for folder, _ in cases)], check=True, capture_output=True, text=True
    )
    for (folder, kind), told in zip(cases, json.loads(asked.stdout.splitlines()[-1]), strict=True):
        explain(folder, manifest(kind), np.array(told["attributions"]), np.array(told["base"]))


def explain(folder: Path, known: ModelManifest, theirs: Any, their_base: Any) -> None:
    served = onnx_format.load(folder / "model.onnx", known)
    sample = np.load(folder / "background.npy").T.tolist()
    model = TreeModel(folder / "model.onnx", served, sample, outputs(served, sample))
    budget = Budget(1, 60.0, ROWS)
    for encoded, expected in zip(model.encoded(np.load(folder / "rows.npy").T.tolist()), theirs, strict=True):
        budget.begin_row()
        found = model.attribute(encoded, budget)
        assert (found.background, found.ended) == (BACKGROUND, False)
        kept = slice(len(found.base) - len(their_base), None)  # of two classes shap may tell the second only
        np.testing.assert_allclose(found.attributions[kept], expected, atol=1e-4 * np.abs(expected).max())
        np.testing.assert_allclose(found.base[kept], their_base, rtol=1e-4, atol=1e-4)
