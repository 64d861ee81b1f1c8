"""The exported graph answers as the model does, or the native file serves and the manifest says why."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

from modelyard.contract.manifest import Column, ModelFormat
from modelyard_kit.model import open_model
from modelyard_kit.onnx_format import OnnxModel
from modelyard_kit.skops_format import SklearnModel
from modelyard_kit.tabular import arrow_schema, table_frame
from modelyard_training.export import NoExportError, export
from tests.unit.kit.manifests import bare_manifest

NUMBERS = [Column(name="Monthly charge ($)", type="float64"), Column(name="größe", type="int64", nullable=False)]
MIXED = [*NUMBERS, Column(name="c.1", type="string"), Column(name="c 1", type="string")]
COUNT = 600


def rows(seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    values: dict[str, list[Any]] = {
        "Monthly charge ($)": [None if n % 11 == 0 else v for n, v in enumerate(rng.normal(50, 20, COUNT).tolist())],
        "größe": rng.integers(0, 100, COUNT).tolist(),
        "c.1": [None if n % 7 == 0 else w for n, w in enumerate(rng.choice(["a", "b", ""], COUNT).tolist())],
        "c 1": rng.choice([f"w{n}" for n in range(80)], COUNT).tolist(),
    }
    return pa.table(values, schema=arrow_schema(MIXED))


def labels(table: pa.Table) -> Any:
    sums = np.nan_to_num(table_frame(table, NUMBERS).to_numpy()).sum(axis=1)
    return np.where(sums > 90, "high", "low").astype(object)


def native(estimator: Any, features: list[Column], *, regression: bool = False) -> SklearnModel:
    table = rows()
    wanted = table_frame(table, NUMBERS).to_numpy()[:, 1] * 2.5 if regression else labels(table)
    estimator.fit(table_frame(table, features), wanted)
    if regression:
        return SklearnModel(bare_manifest(features, task="regression"), estimator)
    return SklearnModel(bare_manifest(features, classes=estimator.classes_.tolist()), estimator)


def mixed(last: Any, **encoding: Any) -> Any:
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False, **encoding)
    parts = [("n", "passthrough", [c.name for c in NUMBERS]), ("w", words, ["c.1", "c 1"])]
    return make_pipeline(ColumnTransformer(parts), last)


def forest() -> Any:
    """Of complete columns: missing numbers go another way in its graph."""
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = ColumnTransformer([("n", "passthrough", ["größe"]), ("w", words, ["c.1", "c 1"])])
    return make_pipeline(parts, RandomForestClassifier(21, random_state=0))


EXPORTED = {
    "boosting": lambda: native(mixed(HistGradientBoostingClassifier(max_iter=20)), MIXED),
    "rare words": lambda: native(mixed(HistGradientBoostingClassifier(max_iter=20), max_categories=10), MIXED),
    "forest": lambda: native(forest(), MIXED[1:]),
    "without columns": lambda: native(HistGradientBoostingClassifier(max_iter=20), NUMBERS),
    "regression": lambda: native(mixed(HistGradientBoostingRegressor(max_iter=20)), MIXED, regression=True),
}


@pytest.mark.parametrize("which", EXPORTED)
def test_a_graph_answers_as_the_model_does_missing_values_and_unknown_words_too(which: str, tmp_path: Path) -> None:
    model = EXPORTED[which]()
    exported = export(model, rows(1), rows(2), tmp_path)
    assert isinstance(exported, OnnxModel)
    assert exported.manifest.format == "onnx"
    fresh = rows(3)
    expected, found = model.predict(fresh), exported.predict(fresh)
    if expected.probabilities is None or found.probabilities is None:
        assert np.allclose(expected.values, found.values, rtol=1e-5)
    else:
        assert expected.values == found.values
        assert np.allclose(expected.probabilities, found.probabilities, atol=1e-5)


@pytest.mark.parametrize("form", ["xgboost", "lightgbm"])
@pytest.mark.parametrize("regression", [False, True], ids=["classes", "regression"])
def test_a_boosted_model_and_its_graph_answer_alike(form: ModelFormat, regression: bool, tmp_path: Path) -> None:
    frame, over = table_frame(rows(), NUMBERS), labels(rows()) == "low"
    wanted = frame["größe"] * 2.5 if regression else over
    if form == "xgboost":
        objective = "reg:squarederror" if regression else "binary:logistic"
        path = tmp_path / "model.ubj"
        xgboost.train({"objective": objective}, xgboost.DMatrix(frame, wanted), 20).save_model(path)
    else:
        objective = "regression" if regression else "binary"
        path = tmp_path / "model.txt"
        data = lightgbm.Dataset(frame, wanted)
        lightgbm.train({"objective": objective, "verbosity": -1}, data, 20).save_model(path)
    said: dict[str, Any] = {"task": "regression"} if regression else {"classes": ["high", "low"]}
    model = open_model(path, bare_manifest(NUMBERS, format=form, **said))
    exported = export(model, rows(1), rows(2), tmp_path)
    assert exported.manifest.format == "onnx"
    expected, found = model.predict(rows(3)), exported.predict(rows(3))
    if expected.probabilities is None or found.probabilities is None:
        assert np.allclose(expected.values, found.values, rtol=1e-4)
    else:
        assert np.allclose(expected.probabilities, found.probabilities, atol=1e-5)


def refused(model: SklearnModel, folder: Path) -> str:
    with pytest.raises(NoExportError) as why:
        export(model, rows(1), rows(2), folder)
    return str(why.value)


def test_native_categories_of_boosting_are_wrong_as_a_graph_and_are_not_served(tmp_path: Path) -> None:
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    parts = ColumnTransformer([("w", words, ["c.1", "c 1"])], remainder="passthrough")
    boosting = HistGradientBoostingClassifier(max_iter=20, categorical_features=[0, 1])
    assert refused(native(make_pipeline(parts, boosting), MIXED), tmp_path)


def test_a_graph_that_fails_for_unknown_words_is_not_served(tmp_path: Path) -> None:
    words = OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False)
    parts = ColumnTransformer([("n", "passthrough", [c.name for c in NUMBERS]), ("w", words, ["c.1", "c 1"])])
    model = native(make_pipeline(parts, HistGradientBoostingClassifier(max_iter=5)), MIXED)
    assert "it fails where the model does not" in refused(model, tmp_path)


def test_a_forest_with_missing_numbers_stays_native(tmp_path: Path) -> None:
    assert "otherwise" in refused(native(mixed(RandomForestClassifier(20, random_state=0)), MIXED), tmp_path)


def test_a_classifier_without_probabilities_stays_native(tmp_path: Path) -> None:
    assert refused(native(LinearSVC(), NUMBERS[1:]), tmp_path) == "the classifier has no predict_proba"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(-1e6, 1e6, width=32), st.integers(-1000, 1000)), min_size=1, max_size=20))
def test_linear_models_answer_alike_for_any_numbers(tmp_path: Path, asked: list[tuple[float, int]]) -> None:
    complete = NUMBERS[1:]
    logistic = native(make_pipeline(StandardScaler(), LogisticRegression()), complete)
    line = native(LinearRegression(), complete, regression=True)
    table = pa.table({"größe": [whole for _, whole in asked]}, schema=arrow_schema(complete))
    for model in (logistic, line):
        exported = export(model, rows(1), rows(2), tmp_path)
        expected, found = model.predict(table), exported.predict(table)
        if expected.probabilities is None or found.probabilities is None:
            assert np.allclose(expected.values, found.values, rtol=1e-4)
        else:
            assert np.allclose(expected.probabilities, found.probabilities, atol=1e-4)
