"""Weights in a safetensors file answer as the network that they are from, or it is said what does not fit."""

import json
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn.neural_network import MLPClassifier, MLPRegressor

from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.architecture import HEADER
from modelyard_kit.content import refuse_pickle
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import open_model
from tests.unit.kit.manifests import bare_manifest

FEATURES = [Column(name=name, type="float64") for name in ("price", "weight", "age")]
PERCEPTRON: dict[str, Any] = {"kind": "mlp", "sizes": [3, 8, 3], "layers": ["0", "2"], "output": "softmax"}
GIVEN = np.random.default_rng(4).normal(size=(40, 3))


def weights(sizes: list[int], seed: int = 0) -> dict[str, Any]:
    rng, found = np.random.default_rng(seed), {}
    for at, (given, made) in enumerate(pairwise(sizes)):
        found[f"{2 * at}.weight"] = rng.normal(size=(made, given)).astype(np.float32)
        found[f"{2 * at}.bias"] = rng.normal(size=made).astype(np.float32)
    return found


def saved(folder: Path, tensors: dict[str, Any], said: Any) -> Path:
    path = folder / "model.safetensors"
    save_file(tensors, path, metadata={HEADER: json.dumps(said)})
    return path


def manifest(classes: int = 3, **said: Any) -> ModelManifest:
    named = {"task": "classification" if classes else "regression", "classes": [f"c{at}" for at in range(classes)]}
    return bare_manifest(FEATURES, **{"format": "safetensors", **named, **said})


def refusal(path: Path, classes: int = 3) -> TaskFailure:
    with pytest.raises(TaskFailure) as told:
        open_model(path, manifest(classes))
    return told.value


@pytest.mark.parametrize(("theirs", "ours"), [("relu", "relu"), ("tanh", "tanh"), ("logistic", "sigmoid")])
@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_network_of_scikit_learn_answers_as_there(classes: int, theirs: str, ours: str, tmp_path: Path) -> None:
    kind = MLPClassifier if classes else MLPRegressor
    wanted = np.arange(40) % classes if classes else GIVEN.sum(axis=1)
    fitted: Any = kind(hidden_layer_sizes=(8, 5), activation=theirs, max_iter=50, random_state=1).fit(GIVEN, wanted)
    sizes = [3, 8, 5, fitted.n_outputs_]
    tensors: dict[str, Any] = {}
    for at, (weight, bias) in enumerate(zip(fitted.coefs_, fitted.intercepts_, strict=True)):
        tensors |= {f"l{at}.weight": weight.T.astype(np.float32).copy(), f"l{at}.bias": bias.astype(np.float32)}
    output = {0: "identity", 2: "sigmoid", 3: "softmax"}[classes]
    said = {"kind": "mlp", "sizes": sizes, "layers": ["l0", "l1", "l2"], "activation": ours, "output": output}
    found = open_model(saved(tmp_path, tensors, said), manifest(classes)).predict_columns(GIVEN.T.tolist())
    if classes:
        assert found.probabilities == pytest.approx(fitted.predict_proba(GIVEN), abs=1e-5)
    else:
        assert found.values == pytest.approx(fitted.predict(GIVEN), abs=1e-5)


def test_rows_are_standardised_and_a_missing_value_counts_as_the_mean(tmp_path: Path) -> None:
    mean, scale = np.array([5, -2, 9], np.float32), np.array([2, 3, 4], np.float32)
    plain = open_model(saved(tmp_path, weights([3, 8, 3]), PERCEPTRON), manifest())
    expected = plain.predict_columns([[1.0], [0.0], [0.0]]).probabilities
    scaled = open_model(saved(tmp_path, {**weights([3, 8, 3]), "mean": mean, "scale": scale}, PERCEPTRON), manifest())
    for missing in (None, -2.0):
        assert scaled.predict_columns([[7.0], [missing], [9.0]]).probabilities == pytest.approx(expected, abs=1e-6)


def test_rows_asked_together_are_answered_as_alone(tmp_path: Path) -> None:
    model = open_model(saved(tmp_path, weights([3, 8, 3]), PERCEPTRON), manifest())
    together = model.predict_columns(GIVEN.T.tolist())
    alone = [model.predict_columns([[value] for value in row.tolist()]) for row in GIVEN]
    assert together.values == [one.values[0] for one in alone]
    assert together.scores == pytest.approx([one.scores[0] for one in alone if one.scores], abs=1e-6)


SAID = {
    "no architecture": ("", "architecture.json: it: "),
    "an unknown kind": ({**PERCEPTRON, "kind": "transformer"}, "kind: Input should be 'mlp'"),
    "a misspelt field": ({**PERCEPTRON, "activasion": "relu"}, "activasion: Extra inputs are not permitted"),
    "an unknown activation": ({**PERCEPTRON, "activation": "exec"}, "activation: Input should be"),
    "a size that is text": ({**PERCEPTRON, "sizes": ["3", 8, 3]}, "sizes.0: Input should be a valid integer"),
    "a size beyond all": ({**PERCEPTRON, "sizes": [3, 10**9, 3]}, "sizes.1: Input should be less than"),
    "a layer too many": ({**PERCEPTRON, "layers": ["0", "2", "4"]}, "3 sizes need 2 different names"),
    "other sizes": ({**PERCEPTRON, "sizes": [3, 9, 3]}, "needs 0.weight as float32 of the shape (9, 3)"),
    "another layer": ({**PERCEPTRON, "layers": ["0", "3"]}, "needs 3.weight as float32 of the shape (3, 8), and it is"),
    "no probabilities": ({**PERCEPTRON, "output": "identity"}, "gives no probabilities"),
}


@pytest.mark.parametrize(("said", "words"), SAID.values(), ids=SAID)
def test_an_architecture_that_does_not_fit_is_told(said: Any, words: str, tmp_path: Path) -> None:
    told = refusal(saved(tmp_path, weights([3, 8, 3]), said))
    assert told.reason == Reason.USER_ERROR
    assert words in told.message


def test_weights_that_do_not_fit_are_told(tmp_path: Path) -> None:
    good = weights([3, 8, 3])
    endless = {**good, "0.bias": np.full(8, np.inf, np.float32)}
    assert "not finite" in refusal(saved(tmp_path, endless, PERCEPTRON)).message
    assert (
        "has the tensor 7.weight" in refusal(saved(tmp_path, {**good, "7.weight": good["0.bias"]}, PERCEPTRON)).message
    )
    double = {**good, "0.bias": good["0.bias"].astype(np.float64)}
    assert "it is float64" in refusal(saved(tmp_path, double, PERCEPTRON)).message
    assert "label y has 4 classes" in refusal(saved(tmp_path, good, PERCEPTRON), classes=4).message


def test_a_file_that_is_cut_short_is_corrupt(tmp_path: Path) -> None:
    path = saved(tmp_path, weights([3, 8, 3]), PERCEPTRON)
    whole, random = path.read_bytes(), Random(5)  # noqa: S311 - repeatable
    for _ in range(60):
        path.write_bytes(whole[: random.randrange(len(whole) - 1)])
        assert refusal(path).reason == Reason.CORRUPT


def test_no_length_of_a_header_looks_like_a_compressed_pickle(tmp_path: Path) -> None:
    """The first bytes are the header's length: some are those by which zlib's data begins."""
    for count in (0x5E78, 0x9C78, 0xDA78):
        path, length = tmp_path / "model.safetensors", 1
        while True:
            save_file(weights([3, 8, 3]), path, metadata={HEADER: json.dumps(PERCEPTRON), "note": "n" * length})
            made = int.from_bytes(path.read_bytes()[:8], "little")
            if made >= count:
                break
            length += max(1, count - made - 7)
        assert made == count
        refuse_pickle(path)
        open_model(path, manifest())
