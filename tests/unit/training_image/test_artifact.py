"""The model that a script leaves: loaded where it is safe and can predict, refused with the fix where not."""

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skops.io
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from modelyard.contract.manifest import Column
from modelyard_kit.failure import UserFailure
from modelyard_kit.skops_format import SklearnModel
from modelyard_training.artifact import load_artifact
from modelyard_training.measure import measure
from tests.unit.kit.manifests import bare_manifest

X = Column(name="x", type="float64")
Y = Column(name="y", type="bool", role="label")
TABLE = pa.table({"x": [0.0, 1.0, 0.0, 1.0], "y": [False, True, False, True]})


def test_the_only_archive_is_taken_whatever_its_name(tmp_path: Path) -> None:
    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), tmp_path / "mine.skops")
    left = load_artifact(tmp_path)
    assert (left.path.name, left.format, left.types) == ("model.skops", "skops", [])
    assert left.estimator.predict([[0.0]]).tolist() == [0]


@pytest.mark.parametrize(
    ("objects", "reason", "words"),
    [
        ({"model.skops": {"a": 1}}, "UserError", "holds a dict, which cannot predict"),
        ({"model.skops": FunctionTransformer(os.system)}, "UnsafeModel", "posix.system"),
        ({"a.skops": 1, "b.skops": 2}, "UserError", "several models (a.skops, b.skops)"),
    ],
)
def test_what_serving_would_not_load_is_refused(
    tmp_path: Path, objects: dict[str, Any], reason: str, words: str
) -> None:
    for name, content in objects.items():
        skops.io.dump(content, tmp_path / name)
    with pytest.raises(UserFailure) as caught:
        load_artifact(tmp_path)
    assert caught.value.reason == reason
    assert words in caught.value.message


@pytest.mark.parametrize("name", ["model.pkl", "mine.pickle", "model.joblib"])
def test_the_only_pickle_is_taken_where_it_is_allowed(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(LogisticRegression().fit(pd.DataFrame({"x": [0.0, 1.0]}), [0, 1])))
    with pytest.raises(UserFailure, match=f"the script left {name}: a pickle runs any code"):
        load_artifact(tmp_path)
    left = load_artifact(tmp_path, allow_unsafe=True)
    assert (left.path.name, left.format) == ("model.joblib", "pickle")
    assert left.path.is_file()
    model = left.opened(bare_manifest([X], format="pickle", classes=["0", "1"]))
    assert model.predict_columns([[0.0, 1.0]]).values == ["0", "1"]


def test_a_safe_model_goes_before_pickles_and_of_several_pickles_none_is_taken(tmp_path: Path) -> None:
    for name in ("a.pkl", "b.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps(1))
    with pytest.raises(UserFailure, match=r"several models \(a.pkl, b.pkl\)"):
        load_artifact(tmp_path, allow_unsafe=True)
    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), tmp_path / "mine.skops")
    assert load_artifact(tmp_path, allow_unsafe=True).format == "skops"


def _loaded(estimator: Any, classes: list[str]) -> SklearnModel:
    return SklearnModel(bare_manifest([X], label=Y, classes=classes), estimator)


def test_a_model_fitted_on_other_columns_is_told_which_it_gets() -> None:
    model = _loaded(LogisticRegression().fit([[0.0, 1.0], [1.0, 1.0]], [0, 1]), ["false", "true"])
    with pytest.raises(UserFailure, match=r"cannot predict a DataFrame of the feature columns \(x\)"):
        measure(model, TABLE)


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_classes_that_cannot_be_matched_are_named() -> None:
    model = _loaded(LinearSVC().fit([[0.0], [1.0]], [False, True]), ["false", "true"])
    with pytest.raises(UserFailure, match="predicts 'False', which is not one of its classes"):
        measure(model, TABLE)


def test_weights_and_their_architecture_are_published_as_one_file(tmp_path: Path) -> None:
    tensors = {"0.weight": np.ones((1, 1), np.float32), "0.bias": np.full(1, -0.5, np.float32)}
    save_file(tensors, tmp_path / "model.safetensors")
    said = '{"kind": "mlp", "sizes": [1, 1], "layers": ["0"], "output": "sigmoid"}'
    (tmp_path / "architecture.json").write_text(said)
    left = load_artifact(tmp_path)
    assert (left.path.name, left.format) == ("model.safetensors", "safetensors")
    (tmp_path / "architecture.json").unlink()
    model = left.opened(bare_manifest([X], format="safetensors", label=Y, classes=["false", "true"]))
    assert measure(model, TABLE)["accuracy"] == 1.0


def test_weights_without_an_architecture_are_told_what_is_missing(tmp_path: Path) -> None:
    save_file({"0.weight": np.ones((1, 1), np.float32)}, tmp_path / "model.safetensors")
    left = load_artifact(tmp_path)
    with pytest.raises(UserFailure, match=r"architecture\.json: .*write it as"):
        left.opened(bare_manifest([X], format="safetensors", label=Y, classes=["false", "true"]))


@pytest.mark.parametrize("name", ["model.pt", "model.pt2"])
def test_a_model_of_pytorch_names_the_image_that_can_load_it(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(1))
    left = load_artifact(tmp_path)
    with pytest.raises(
        UserFailure, match=r"has no torch, which models of the format torch.* need: .*modelyard/training-torch"
    ):
        left.opened(bare_manifest([X], format=left.format, label=Y, classes=["false", "true"]))
