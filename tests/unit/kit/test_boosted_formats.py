"""Models of XGBoost and LightGBM by their own files: they answer as their library does, or say why they do not fit."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xgboost

from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import open_model
from modelyard_kit.tabular import arrow_schema, table_frame
from tests.unit.kit.manifests import bare_manifest

FEATURES = [
    Column(name="monthly charge", type="float64"),
    Column(name="calls", type="int64"),
    Column(name="loyal", type="bool"),
    Column(name="since", type="timestamp", nullable=False),
]
BOOSTED = pytest.mark.parametrize("form", ["xgboost", "lightgbm"])
OBJECTIVES = {
    "xgboost": {0: "reg:squarederror", 2: "binary:logistic", 3: "multi:softprob"},
    "lightgbm": {0: "regression", 2: "binary", 3: "multiclass"},
}


def rows(seed: int = 0, count: int = 400) -> pa.Table:
    rng = np.random.default_rng(seed)
    charge = rng.normal(50, 20, count).round(2).tolist()
    values = {
        "monthly charge": [None if at % 7 == 0 else value for at, value in enumerate(charge)],
        "calls": [None if at % 11 == 0 else value for at, value in enumerate(rng.integers(0, 9, count).tolist())],
        "loyal": (rng.random(count) < 0.5).tolist(),
        "since": [datetime.fromtimestamp(at, UTC) for at in rng.integers(0, 2**30, count).tolist()],
    }
    return pa.table(values, schema=arrow_schema(FEATURES))


def wanted(table: pa.Table, classes: int) -> Any:
    """A value, or for `classes` the index of one."""
    numbers = np.nan_to_num(table_frame(table, FEATURES).to_numpy())
    sums = numbers[:, 0] + 5 * numbers[:, 1] + 20 * numbers[:, 2]
    return np.digitize(sums, np.quantile(sums, np.arange(1, classes) / classes)) if classes else sums


def fitted(form: str, classes: int, frame: Any, labels: Any, **more: Any) -> Any:
    given = {"objective": OBJECTIVES[form][classes], **({"num_class": classes} if classes > 2 else {}), **more}
    if form == "xgboost":
        return xgboost.train(given, xgboost.DMatrix(frame, labels, enable_categorical=True), 10)
    return lightgbm.train({"verbosity": -1, **given}, lightgbm.Dataset(frame, labels), 10)


def saved(model: Any, folder: Path) -> Path:
    path = folder / ("model.ubj" if isinstance(model, xgboost.Booster) else "model.txt")
    model.save_model(path)
    return path


def manifest(form: str, classes: int, features: list[Column] = FEATURES) -> ModelManifest:
    task = "classification" if classes else "regression"
    return bare_manifest(features, format=form, task=task, classes=[f"c{at}" for at in range(classes)])


@BOOSTED
@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("named", [True, False], ids=["frame", "matrix"])
def test_tables_and_plain_values_are_answered_as_the_library_does(
    form: str, classes: int, named: bool, tmp_path: Path
) -> None:
    table = rows()
    frame: Any = table_frame(table, FEATURES) if named else table_frame(table, FEATURES).to_numpy()
    model = fitted(form, classes, frame, wanted(table, classes))
    loaded = open_model(saved(model, tmp_path), manifest(form, classes))
    fresh = rows(1)
    asked: Any = table_frame(fresh, FEATURES) if named else table_frame(fresh, FEATURES).to_numpy()
    theirs = np.asarray(model.predict(xgboost.DMatrix(asked) if form == "xgboost" else asked))
    plain = loaded.predict_columns([fresh[column.name].to_pylist() for column in FEATURES])
    for ours in (loaded.predict(fresh), plain):
        if not classes:
            assert ours.values == theirs.tolist()
            assert ours.scores is None
            continue
        assert ours.probabilities is not None
        assert np.array_equal(ours.probabilities[:, 1:], theirs.reshape(400, -1)[:, 1 - classes :])
        assert ours.values == [f"c{at}" for at in ours.probabilities.argmax(axis=1)]
        assert np.mean(ours.probabilities.argmax(axis=1) == wanted(fresh, classes)) > 0.7


def test_xgboost_is_read_in_json_too_and_answers_by_its_best_iteration(tmp_path: Path) -> None:
    table, late = rows(), rows(1)
    frames = [table_frame(one, FEATURES) for one in (table, late)]
    model = xgboost.XGBRegressor(n_estimators=200, learning_rate=0.9, early_stopping_rounds=20)
    model.fit(frames[0], wanted(table, 0), eval_set=[(frames[1], wanted(late, 0)[::-1])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    for name in ("model.ubj", "model.json"):
        model.save_model(tmp_path / name)
        loaded = open_model(tmp_path / name, manifest("xgboost", 0))
        assert loaded.predict(late).values == model.predict(frames[1]).tolist()


def refused(form: str, path: Path, described: ModelManifest) -> TaskFailure:
    with pytest.raises(TaskFailure) as told:
        open_model(path, described)
    assert told.value.message.startswith(("the XGBoost model ", "the LightGBM model ", f"{path.name} cannot be read"))
    return told.value


@BOOSTED
@pytest.mark.parametrize(
    ("described", "words"),
    [
        ((2, FEATURES[:3]), "takes 4 features, the dataset has 3: fit it on the columns of MODELYARD_FEATURES"),
        ((2, FEATURES[::-1]), "charge as feature 1, the dataset since: fit it"),
        ((2, [*FEATURES[:3], Column(name="plan", type="string")]), "feature plan is text: encode it in the Dataset's"),
        ((3, FEATURES), "tells 2 classes apart, label y has 3 in the rows to train on"),
    ],
    ids=["fewer", "order", "text", "classes"],
)
def test_a_model_for_other_columns_or_classes_says_which(
    form: str, described: tuple[int, list[Column]], words: str, tmp_path: Path
) -> None:
    table = rows()
    path = saved(fitted(form, 2, table_frame(table, FEATURES), wanted(table, 2)), tmp_path)
    failure = refused(form, path, manifest(form, *described))
    assert (failure.blame, failure.reason) == ("user", Reason.USER_ERROR)
    assert words in failure.message


@pytest.mark.parametrize(
    ("form", "classes", "more", "words"),
    [
        ("xgboost", 3, {"objective": "multi:softmax"}, "objective multi:softmax, which gives no probability"),
        ("xgboost", 2, {"objective": "reg:squarederror"}, "use binary:logistic or multi:softprob"),
        ("xgboost", 2, {"booster": "gblinear"}, "is a linear one"),
        ("lightgbm", 2, {"objective": "regression"}, "use binary or multiclass"),
        ("lightgbm", 3, {"objective": "multiclassova"}, "objective multiclassova, which gives no probability"),
    ],
)
def test_an_objective_without_probabilities_says_which_has_them(
    form: str, classes: int, more: dict[str, Any], words: str, tmp_path: Path
) -> None:
    table = rows()
    path = saved(fitted(form, classes, table_frame(table, FEATURES), wanted(table, classes), **more), tmp_path)
    assert words in refused(form, path, manifest(form, classes)).message


@BOOSTED
def test_a_regression_has_one_value_for_a_row_and_no_categories_of_pandas(form: str, tmp_path: Path) -> None:
    table = rows()
    frame = table_frame(table, FEATURES)
    path = saved(fitted(form, 3, frame, wanted(table, 3)), tmp_path)
    assert "gives 3 values for a row" in refused(form, path, manifest(form, 0)).message
    categories = frame.assign(calls=pd.Categorical(frame["calls"].fillna(0).astype("int64")))
    path = saved(fitted(form, 2, categories, wanted(table, 2)), tmp_path)
    assert "knows categories of pandas" in refused(form, path, manifest(form, 2)).message


@BOOSTED
@pytest.mark.parametrize(
    "data",
    [b"", b"tree\n", b"{", b"{}", b"[]", b'{"learner": 1}', b"{L", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe"],
    ids=range(10),
)
def test_what_is_no_model_is_corrupt(form: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / ("model.ubj" if form == "xgboost" else "model.txt")
    path.write_bytes(data)
    failure = refused(form, path, manifest(form, 2))
    assert (failure.blame, failure.reason) == ("world", Reason.CORRUPT)


def test_a_model_of_the_other_library_is_corrupt(tmp_path: Path) -> None:
    table = rows()
    paths = {
        form: saved(fitted(form, 2, table_frame(table, FEATURES), wanted(table, 2)), tmp_path)
        for form in ("xgboost", "lightgbm")
    }
    for form, path in (("lightgbm", paths["xgboost"]), ("xgboost", paths["lightgbm"])):
        assert refused(form, path, manifest(form, 2)).reason == Reason.CORRUPT
