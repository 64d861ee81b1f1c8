"""A TreeEnsembleClassifier or TreeEnsembleRegressor of ONNX as arrays: https://onnx.ai/onnx/operators/.

Comparisons are in float32, as ONNX Runtime makes them, so that a row reaches the same leaves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from modelyard_serving.explanation.attribution import Floats, UnfitError, Vector

KINDS = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_GOES: Mapping[str, Callable[[Vector, Vector], Vector]] = {
    "BRANCH_LEQ": np.less_equal,
    "BRANCH_LT": np.less,
    "BRANCH_GTE": np.greater_equal,
    "BRANCH_GT": np.greater,
    "BRANCH_EQ": np.equal,
    "BRANCH_NEQ": np.not_equal,
}


@dataclass(frozen=True)
class TreeEnsemble:
    """Nodes of all trees, one after the other. An output is `base` plus the sum of the values of the leaves reached.

    column, threshold, missing: [nodes], of inner nodes; `missing` says that NaN takes the true branch. kinds: which
    nodes compare in which way. parent: [nodes], -1 of roots; side: whether a node is its parent's true branch.
    leaves: their nodes; values: [leaves, outputs]. base: [outputs].
    """

    column: Vector
    threshold: Vector
    missing: Vector
    kinds: Mapping[str, Vector]
    parent: Vector
    side: Vector
    leaves: Vector
    values: Floats
    base: Floats

    def goes(self, row: Vector) -> Vector:
        """[nodes], whether a float32 row [columns] takes the true branch of each."""
        given = row[self.column]
        found = np.isnan(given) & self.missing
        for name, nodes in self.kinds.items():
            found[nodes] |= _GOES[name](given[nodes], self.threshold[nodes])
        return found


def tree_ensemble(node: onnx.NodeProto) -> TreeEnsemble:
    """Raises UnfitError for what it does not know."""
    given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    if any(name.endswith("_as_tensor") for name in given):
        raise UnfitError("its trees are in float64")
    modes = np.array(given["nodes_modes"]).astype(str)
    inner = modes != "LEAF"
    unknown = set(modes[inner].tolist()) - _GOES.keys()
    if unknown:
        raise UnfitError(f"its trees compare by {', '.join(sorted(unknown))}")
    find = _finder(given)
    parent, side = _parents(given, inner, find)
    leaves = np.flatnonzero(~inner)
    values, base = _values(given, leaves, find)
    tracks = given.get("nodes_missing_value_tracks_true") or np.zeros(len(modes))
    return TreeEnsemble(
        np.where(inner, given["nodes_featureids"], 0),
        np.array(given["nodes_values"], dtype=np.float32),
        np.array(tracks, dtype=bool) & inner,
        {name: np.flatnonzero(modes == name) for name in sorted(set(modes[inner].tolist()))},
        parent,
        side,
        leaves,
        values,
        base,
    )


Find = Callable[[Any, Any], Vector]


def _finder(given: Mapping[str, Any]) -> Find:
    """Finds nodes, which are named by their tree's number and their own in it, by their places."""
    width = max(given["nodes_nodeids"]) + 1

    def names(tree: Any, node: Any) -> Vector:
        made: Vector = np.array(tree, dtype=np.int64) * width + np.array(node, dtype=np.int64)
        return made

    known = names(given["nodes_treeids"], given["nodes_nodeids"])
    order = np.argsort(known)

    def find(tree: Any, node: Any) -> Vector:
        found: Vector = order[np.searchsorted(known, names(tree, node), sorter=order)]
        return found

    return find


def _parents(given: Mapping[str, Any], inner: Vector, find: Find) -> tuple[Vector, Vector]:
    parent, side = np.full(len(inner), -1), np.zeros(len(inner), dtype=bool)
    trees, above = np.array(given["nodes_treeids"])[inner], np.flatnonzero(inner)
    for branch, of_true in (("nodes_falsenodeids", False), ("nodes_truenodeids", True)):
        below = find(trees, np.array(given[branch])[inner])
        parent[below] = above
        side[below] = of_true
    return parent, side


def _values(given: Mapping[str, Any], leaves: Vector, find: Find) -> tuple[Floats, Floats]:
    """An ensemble for two classes may give the score of one only: then there is one output."""
    what = "class" if "class_ids" in given else "target"
    rows = np.searchsorted(leaves, find(given[f"{what}_treeids"], given[f"{what}_nodeids"]))
    outputs = np.array(given[f"{what}_ids"])
    if len(set(outputs.tolist())) == 1:
        outputs = np.zeros_like(outputs)
    values = np.zeros((len(leaves), int(outputs.max()) + 1))
    np.add.at(values, (rows, outputs), np.array(given[f"{what}_weights"], dtype=np.float64))
    if given.get("aggregate_function", b"SUM") == b"AVERAGE":
        values /= len(set(given["nodes_treeids"]))
    elif given.get("aggregate_function", b"SUM") != b"SUM":
        raise UnfitError("its trees are not summed")
    base = np.zeros(values.shape[1])
    base += np.array(given.get("base_values") or 0.0, dtype=np.float64)
    return values, base
