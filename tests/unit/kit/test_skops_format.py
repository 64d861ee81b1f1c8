"""Models: saved by training, loaded by serving, refused where they hold anything else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from modelyard.contract.manifest import Column, ModelManifest
from modelyard_kit.failure import UserFailure
from modelyard_kit.skops_format import SklearnModel, open_model, save_model
from tests.unit.kit.frames import frame_of, table_of
from tests.unit.kit.manifests import bare_manifest

FEATURES = [Column(name="x", type="float64"), Column(name="c", type="string")]
ROWS: dict[str, list[Any]] = {"x": [float(i) for i in range(60)], "c": ["a", "b", None] * 20}


def _fitted(last: Any, labels: list[Any]) -> Pipeline:
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    columns = ColumnTransformer([("c", encode, ["c"])], remainder="passthrough")
    return Pipeline([("columns", columns), ("model", last)]).fit(frame_of(ROWS, FEATURES), labels)


def _manifest(task: Any, classes: list[str], types: list[str]) -> ModelManifest:
    return bare_manifest(FEATURES, task=task, classes=classes, trusted_types=types)


def test_a_saved_classifier_predicts_classes_with_their_probability(tmp_path: Path) -> None:
    estimator = _fitted(
        HistGradientBoostingClassifier(max_iter=3, categorical_features=[0]), ["no"] * 30 + ["yes"] * 30
    )
    path, types = save_model(estimator, tmp_path)
    model = SklearnModel(_manifest("classification", ["no", "yes"], types), open_model(path, types))
    prediction = model.predict(table_of({"c": ["a", "new"], "x": [0, 59]}, FEATURES))
    assert prediction.values == ["no", "yes"]
    assert prediction.scores is not None
    assert all(0.5 < score <= 1 for score in prediction.scores)


def test_a_regression_predicts_floats_without_scores(tmp_path: Path) -> None:
    path, types = save_model(_fitted(HistGradientBoostingRegressor(max_iter=3), ROWS["x"]), tmp_path)
    model = SklearnModel(_manifest("regression", [], types), open_model(path, types))
    prediction = model.predict(table_of(ROWS, FEATURES))
    assert len(prediction.values) == 60
    assert prediction.scores is None


def test_a_forest_answers_for_numbers_beyond_float32_and_still_refuses_what_is_none() -> None:
    features = [Column(name="x", type="float64")]
    rows = {"x": [float(i) for i in range(60)]}
    forest = RandomForestClassifier(5, random_state=0).fit(frame_of(rows, features), ["no"] * 30 + ["yes"] * 30)
    model = SklearnModel(bare_manifest(features, task="classification", classes=["no", "yes"]), forest)
    assert model.predict(table_of({"x": [-1e300, 3.5e38, 1e39]}, features)).values == ["no", "yes", "yes"]
    linear = SklearnModel(
        model.manifest, LogisticRegression().fit(frame_of(rows, features), ["no"] * 30 + ["yes"] * 30)
    )
    with pytest.raises(ValueError, match="NaN"):
        linear.predict(table_of({"x": [None, 1e300]}, features))


def test_a_type_outside_the_allow_list_is_refused_when_saving(tmp_path: Path) -> None:
    with pytest.raises(UserFailure, match=r"pathlib\.unlink"):
        save_model(FunctionTransformer(Path.unlink), tmp_path)


def test_a_type_the_manifest_does_not_name_is_refused_when_loading(tmp_path: Path) -> None:
    path, types = save_model(_fitted(HistGradientBoostingRegressor(max_iter=2), ROWS["x"]), tmp_path)
    assert types
    with pytest.raises(UserFailure, match="manifest does not name"):
        open_model(path, [])
