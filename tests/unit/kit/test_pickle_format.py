"""Pickles are loaded where that is allowed, and nowhere else; what they hold must be able to predict."""

import pickle
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import TaskFailure, UserFailure
from modelyard_kit.model import load_model, open_model
from modelyard_kit.pickle_format import FILE
from tests.unit.kit.manifests import bare_manifest
from tests.unit.serving_image import models
from tests.unit.serving_image.models import NUMERIC

X = Column(name="x", type="float64")
TOUCHED: list[int] = []


class Runs:
    """What happens when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return TOUCHED.append, (1,)


def saved(folder: Path, content: Any, compress: int = 0) -> Path:
    joblib.dump(content, folder / FILE, compress=compress)
    return folder / FILE


def manifest(**more: Any) -> ModelManifest:
    return bare_manifest([X], **{"format": "pickle", "classes": ["no", "yes"], **more})


@pytest.mark.parametrize("compress", [0, 3])
def test_a_pickle_answers_where_it_is_allowed(tmp_path: Path, compress: int) -> None:
    path = saved(tmp_path, LogisticRegression().fit(pd.DataFrame({"x": [0.0, 1.0]}), ["no", "yes"]), compress)
    model = open_model(path, manifest(), allow_unsafe=True)
    assert model.predict_columns([[0.0, 1.0]]).values == ["no", "yes"]


def test_none_of_it_runs_where_it_is_not_allowed(tmp_path: Path) -> None:
    path = saved(tmp_path, Runs())
    with pytest.raises(UserFailure, match=r"spec\.allowUnsafeFormats .* workloads\.allowUnsafeFormats") as told:
        open_model(path, manifest())
    assert told.value.reason == Reason.UNSAFE_MODEL
    assert TOUCHED == []


@pytest.mark.parametrize("form", ["skops", "onnx", "xgboost", "lightgbm", "safetensors"])
def test_a_pickle_under_the_name_of_another_format_is_refused_all_the_same(tmp_path: Path, form: Any) -> None:
    where = models.place(tmp_path)
    told, path = models.fetched(where, models.publish(where, "classification", NUMERIC, form=form))
    path.write_bytes(pickle.dumps(Runs()))
    with pytest.raises(TaskFailure) as failure:
        open_model(path, told, allow_unsafe=True)
    assert failure.value.reason == Reason.UNSAFE_MODEL
    assert TOUCHED == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pickle.dumps({"a": 1}), "holds a dict, which cannot predict"),
        (pickle.dumps("a model")[:-1], "cannot be loaded: EOFError"),
        (b"cnowhere\nModel\n.", "needs the module nowhere, which this image has not: .*spec.container"),
    ],
    ids=["no model", "cut", "module"],
)
def test_what_cannot_be_loaded_is_said(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(UserFailure, match=words) as told:
        open_model(tmp_path / FILE, manifest(), allow_unsafe=True)
    assert told.value.reason == Reason.USER_ERROR


def test_the_gate_loads_one_where_it_is_allowed(tmp_path: Path) -> None:
    where = models.place(tmp_path)
    asked = (where.store, "shop", "demo-job", models.publish(where, "classification", NUMERIC, form="pickle"))
    found = load_model(*asked, tmp_path / "gate", allow_unsafe=True)
    assert found.predict_columns([[3.5, 30.5], [1, 2]]).values == ["low", "high"]
    with pytest.raises(UserFailure, match="is a pickle"):
        load_model(*asked, tmp_path / "gate")
