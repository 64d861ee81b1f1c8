"""Exact attributions of trees: Shapley's definition, over all sets of players, on random trees and on real models."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelyard.contract.manifest import Column
from modelyard_kit import onnx_format
from modelyard_serving.explanation.attribution import Floats, UnfitError
from modelyard_serving.explanation.budget import Budget, StoppedError
from modelyard_serving.explanation.tree_ensemble import tree_ensemble
from modelyard_serving.explanation.tree_model import TreeModel
from modelyard_serving.explanation.tree_shap import TreeShap
from modelyard_training.export import convert
from modelyard_training.parameters import TabularParameters
from modelyard_training.recipe import fit_tabular
from tests.unit.kit.frames import frame_of
from tests.unit.serving_image.explanations import floats, manifest_of, mixed_value, outputs, shapley
from tests.unit.serving_image.models import FEATURES, ROWS

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
COLUMNS = 5
VALUES = (-1.0, 0.0, 0.5, 1.0, float("nan"))
OUTPUTS = 2


class Grower:
    """Grows the attributes of a TreeEnsembleRegressor at random."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self.nodes: list[dict[str, Any]] = []
        self.leaves: list[tuple[int, int, int, float]] = []  # tree, node, output, value

    def grow(self, tree: int, depth: int) -> int:
        number: int = sum(node["tree"] == tree for node in self.nodes)
        node = {
            "tree": tree,
            "node": number,
            "mode": "LEAF",
            "column": 0,
            "value": 0.0,
            "true": 0,
            "false": 0,
            "nan": 0,
        }
        self.nodes.append(node)
        if depth and self._draw(st.integers(0, 4)):
            node["mode"] = self._draw(st.sampled_from(MODES))
            node["column"] = self._draw(st.integers(0, COLUMNS - 1))
            node["value"] = self._draw(st.sampled_from(VALUES[:-1]))
            node["nan"] = self._draw(st.integers(0, 1))
            node["true"], node["false"] = self.grow(tree, depth - 1), self.grow(tree, depth - 1)
        else:
            self.leaves += [(tree, number, at, float(self._draw(st.integers(-8, 8)))) for at in range(OUTPUTS)]
        return number

    def node(self) -> onnx.NodeProto:
        names = {"treeids": "tree", "nodeids": "node", "modes": "mode", "featureids": "column", "values": "value"}
        names |= {"truenodeids": "true", "falsenodeids": "false", "missing_value_tracks_true": "nan"}
        attributes: dict[str, Any] = {f"nodes_{name}": [node[of] for node in self.nodes] for name, of in names.items()}
        weighed = ("target_treeids", "target_nodeids", "target_ids", "target_weights")
        attributes |= dict(zip(weighed, map(list, zip(*self.leaves, strict=True)), strict=True))
        attributes |= {"n_targets": OUTPUTS, "base_values": [1.0, -2.0]}
        return onnx.helper.make_node("TreeEnsembleRegressor", ["rows"], ["sums"], domain="ai.onnx.ml", **attributes)


@st.composite
def forests(draw: Any) -> onnx.NodeProto:
    grower = Grower(draw)
    for tree in range(draw(st.integers(1, 3))):
        grower.grow(tree, 4)
    return grower.node()


def rows(count: int) -> Any:
    row = st.lists(st.sampled_from(VALUES), min_size=COLUMNS, max_size=COLUMNS)
    return st.lists(row, min_size=count, max_size=count).map(lambda found: np.array(found, dtype=np.float32))


def runtime(node: onnx.NodeProto) -> Any:
    """ONNX Runtime's own answers to rows."""
    graph = onnx.helper.make_graph(
        [node],
        "trees",
        [onnx.helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, [None, COLUMNS])],
        [onnx.helper.make_tensor_value_info("sums", onnx.TensorProto.FLOAT, [None, OUTPUTS])],
    )
    sets = [onnx.helper.make_opsetid("", 15), onnx.helper.make_opsetid("ai.onnx.ml", 3)]
    session = onnx_format.session(onnx.helper.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString())
    return lambda given: session.run(None, {"rows": given})[0].astype(np.float64)


@settings(max_examples=60, deadline=None)
@given(forests(), rows(4), st.lists(st.integers(0, 2), min_size=COLUMNS, max_size=COLUMNS))
def test_random_forests_are_explained_as_shapley_defines_it(
    node: onnx.NodeProto, given_rows: Any, groups: list[int]
) -> None:
    players = np.unique(groups, return_inverse=True)[1]
    ask, own, background = runtime(node), given_rows[0], given_rows[1:]
    found = attributed(TreeShap(tree_ensemble(node), players, background), own)

    def value(members: tuple[bool, ...]) -> Floats:
        taken = np.array(members)[players]
        mean: Floats = ask(np.where(taken, own, background)).mean(axis=0)
        return mean

    count = int(players.max()) + 1
    np.testing.assert_allclose(found.attributions, shapley(value, count), atol=1e-9)
    np.testing.assert_allclose(found.base, value((False,) * count), atol=1e-9)
    np.testing.assert_allclose(found.values, value((True,) * count), atol=1e-9)
    np.testing.assert_allclose(found.attributions.sum(axis=1), found.values - found.base, atol=1e-9)


def attributed(shap: TreeShap, row: Any) -> Any:
    budget = Budget(1, 60.0, 1)
    budget.begin_row()
    return shap.attribute(row, budget)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_recipes_trees_are_explained_by_columns_not_by_encoded_words(tmp_path: Path, kind: Any) -> None:
    price = np.array(ROWS["price"])
    wanted = price * 2 + np.array(ROWS["hour"]) if kind == "regression" else (price > 20).astype(int)
    wanted = wanted + np.array([word == "south" for word in ROWS["region"]]) * (50 if kind == "regression" else 1)
    parameters = TabularParameters(max_iter=20, min_samples_leaf=2)
    fitted = fit_tabular(frame_of(ROWS, FEATURES), wanted, kind, parameters, 0)
    model, sample = opened(tmp_path, fitted, FEATURES, [] if kind == "regression" else ["a", "b", "c"])
    assert model.scale == ("value" if kind == "regression" else "log-odds")
    row = [7.0, "south", 3]
    budget = Budget(1, 60.0, 1)
    budget.begin_row()
    found = model.attribute(model.encoded([[value] for value in row])[0], budget)

    def raw(columns: Any) -> Floats:
        return np.stack([model.outputs(each) for each in model.encoded(columns)])

    np.testing.assert_allclose(found.attributions, shapley(mixed_value(raw, row, sample), 3), atol=1e-9)
    assert np.abs(found.attributions[:, 1]).max() > 0.1  # the text has a part in it


def test_trees_behind_imputers_and_scalers_are_explained_by_the_models_own_columns(tmp_path: Path) -> None:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("words", words, ["region"]), ("numbers", numbers, ["hour", "price"])])
    forest = RandomForestClassifier(20, random_state=0)
    wanted = (np.array(ROWS["price"]) > 20) ^ np.array([word == "west" for word in ROWS["region"]])
    fitted = make_pipeline(columns, forest).fit(frame_of(ROWS, FEATURES), wanted.astype(int))
    model, sample = opened(tmp_path, fitted, FEATURES, ["0", "1"])
    assert model.scale == "probability"
    row = [25.0, "west", 3]
    budget = Budget(1, 60.0, 1)
    budget.begin_row()
    found = model.attribute(model.encoded([[value] for value in row])[0], budget)
    served = onnx_format.load(tmp_path / "model.onnx", manifest_of(FEATURES, ["0", "1"]))
    expected = shapley(mixed_value(lambda columns: outputs(served, columns), row, sample), 3)
    np.testing.assert_allclose(found.attributions, expected, atol=1e-6)


def test_trees_on_columns_that_are_mixed_do_not_fit(tmp_path: Path) -> None:
    rows = np.column_stack([ROWS["price"], ROWS["hour"]])
    fitted = make_pipeline(PCA(2), RandomForestClassifier(5, random_state=0)).fit(rows, (rows[:, 0] > 20).astype(int))
    with pytest.raises(UnfitError, match="its graph has MatMul before the trees"):
        opened(tmp_path, fitted, floats(2), ["0", "1"])


def opened(
    folder: Path, estimator: BaseEstimator, features: list[Column], classes: list[str]
) -> tuple[TreeModel, list[list[Any]]]:
    path = folder / "model.onnx"
    path.write_bytes(convert(estimator, features))
    served = onnx_format.load(path, manifest_of(features, classes))
    sample = [list(ROWS[column.name][:12]) if column.name in ROWS else ROWS["price"][:12] for column in features]
    return TreeModel(path, served, sample, outputs(served, sample)), sample


@pytest.mark.parametrize(
    ("estimator", "why"),
    [
        (LogisticRegression(), "it is not one tree ensemble"),
        (AdaBoostClassifier(n_estimators=1), "its trees do not answer as it does"),
    ],
)
def test_what_is_more_or_less_than_a_tree_ensemble_does_not_fit(tmp_path: Path, estimator: Any, why: str) -> None:
    price = np.array(ROWS["price"])[:, None]
    with pytest.raises(UnfitError, match=why):
        opened(tmp_path, estimator.fit(price, (price[:, 0] > 20).astype(int)), floats(1), ["0", "1"])


def test_trees_that_do_not_answer_as_the_model_does_not_fit(tmp_path: Path) -> None:
    price = np.array(ROWS["price"])[:, None]
    path = tmp_path / "model.onnx"
    path.write_bytes(convert(RandomForestClassifier(5, random_state=0).fit(price, price[:, 0] > 20), floats(1)))
    served = onnx_format.load(path, manifest_of(floats(1), ["false", "true"]))
    sample = [ROWS["price"][:12]]
    with pytest.raises(UnfitError, match="do not answer as it does"):
        TreeModel(path, served, sample, outputs(served, sample) * 0.9)


@settings(max_examples=20, deadline=None)
@given(forests(), rows(4))
def test_an_ended_budget_leaves_what_is_exact_for_the_rows_it_used(node: onnx.NodeProto, given_rows: Any) -> None:
    trees, players = tree_ensemble(node), np.arange(COLUMNS)
    shap = TreeShap(trees, players, given_rows[1:])
    shap._rows = 1
    times = iter([0.0, 0.0, 9.0])  # it begins, and looks before each row of the background but the first
    budget = Budget(1, 5.0, 1, clock=lambda: next(times))
    budget.begin_row()
    found = shap.attribute(given_rows[0], budget)
    assert (found.background, found.ended) == (2, True)
    whole = attributed(TreeShap(trees, players, given_rows[1:3]), given_rows[0])
    np.testing.assert_allclose(found.attributions, whole.attributions, atol=1e-9)
    np.testing.assert_allclose(found.base, whole.base, atol=1e-9)


@settings(max_examples=5, deadline=None)
@given(forests(), rows(2))
def test_one_step_is_made_whatever_the_budget_says_unless_it_is_stopped(node: onnx.NodeProto, given_rows: Any) -> None:
    shap = TreeShap(tree_ensemble(node), np.arange(COLUMNS), given_rows[1:])
    budget = Budget(1, 1e-9, 1)
    budget.begin_row()
    assert shap.attribute(given_rows[0], budget).background == 1
    budget.stop()
    with pytest.raises(StoppedError):
        shap.attribute(given_rows[0], budget)
