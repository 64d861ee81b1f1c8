"""A served graph as a tree ensemble on columns that are known: what the exact method needs.

Whether the arrays answer as the model does is looked up on rows, not believed: a graph may do more behind its trees.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from modelyard.contract.manifest import ModelManifest
from modelyard_kit.onnx_format import OnnxModel, of_values, session
from modelyard_kit.tabular import in_float32
from modelyard_serving.explanation.attribution import Attribution, Floats, UnfitError, Vector
from modelyard_serving.explanation.budget import Budget
from modelyard_serving.explanation.encoding import Owners, constants, owners
from modelyard_serving.explanation.tree_ensemble import KINDS, tree_ensemble
from modelyard_serving.explanation.tree_shap import TreeShap

TOLERANCE = 1e-4  # of an output; ONNX Runtime adds in float32
Columns = Sequence[Sequence[Any]]


class TreeModel:
    """Answers and explains rows of plain values. Raises UnfitError where the exact method does not fit the graph."""

    def __init__(self, path: Path, model: OnnxModel, sample: Columns, answers: Floats) -> None:
        """`answers` [rows, outputs] are the model's to the rows of `sample`, the background."""
        graph = onnx.load_from_string(path.read_bytes())
        tree = _tree(graph.graph)
        self._model = model
        self._before = _before(graph.graph, tree.input[0])
        self._session = session(_part(graph, self._before, tree.input[0])) if self._before else None
        of_columns = self._owners(graph.graph)
        encoded = self.encoded(sample)
        if encoded.shape[1] != len(of_columns):
            raise UnfitError("the columns that its trees see are not known")
        self._shap = TreeShap(tree_ensemble(tree), np.array(of_columns), encoded)
        outputs = self._shap.background_outputs()
        self.scale, self._spread = _scale(outputs, answers[: len(outputs)], model.manifest)

    def encoded(self, columns: Columns) -> Vector:
        """float32 [rows, columns of the trees]."""
        features = self._model.manifest.features
        names = [given.name for given in self._model.session.get_inputs()]
        vectors = [of_values(values, column) for values, column in zip(columns, features, strict=True)]
        if len(names) == 1:
            given = {names[0]: np.column_stack(vectors)}
        else:
            given = {name: vector.reshape(-1, 1) for name, vector in zip(names, vectors, strict=True)}
        if self._session is None:
            return in_float32(next(iter(given.values())))
        wanted = {each.name for each in self._session.get_inputs()}
        found = self._session.run(None, {name: values for name, values in given.items() if name in wanted})[0]
        return np.asarray(found, dtype=np.float32)

    def outputs(self, row: Vector) -> Floats:
        """[outputs] of the trees for one encoded row, before they become those of the model."""
        return self._shap.outputs(row)

    def attribute(self, row: Vector, budget: Budget) -> Attribution:
        """Of one encoded row. Raises as `TreeShap.attribute` does."""
        return self._spread(self._shap.attribute(row, budget))

    def _owners(self, graph: onnx.GraphProto) -> Owners:
        count = len(self._model.manifest.features)
        names = [given.name for given in self._model.session.get_inputs()]
        inputs = {names[0]: list(range(count))} if len(names) == 1 else {name: [at] for at, name in enumerate(names)}
        return owners(self._before, constants(graph), inputs) if self._before else inputs[names[0]]


def _tree(graph: onnx.GraphProto) -> onnx.NodeProto:
    found = [node for node in graph.node if node.op_type.startswith("TreeEnsemble")]
    if len(found) != 1 or found[0].op_type not in KINDS:
        raise UnfitError("it is not one tree ensemble")
    tree: onnx.NodeProto = found[0]
    return tree


def _before(graph: onnx.GraphProto, target: str) -> list[onnx.NodeProto]:
    """The nodes that `target` is made by, in their order."""
    wanted, found = {target}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            found.append(node)
            wanted |= set(node.input)
    return found[::-1]


def _part(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], target: str) -> bytes:
    """A graph of these nodes only."""
    used = {name for node in nodes for name in node.input}
    output = onnx.helper.make_tensor_value_info(target, onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(
        nodes,
        "before the trees",
        [given for given in model.graph.input if given.name in used],
        [output],
        [tensor for tensor in model.graph.initializer if tensor.name in used],
    )
    made = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    content: bytes = made.SerializeToString()
    return content


def _as_it_is(found: Attribution) -> Attribution:
    return found


def _of_both(constant: float) -> Callable[[Attribution], Attribution]:
    """From the second of two classes to both: the first has `constant` less."""

    def spread(found: Attribution) -> Attribution:
        return Attribution(
            np.concatenate([constant - found.values, found.values]),
            np.concatenate([constant - found.base, found.base]),
            np.concatenate([-found.attributions, found.attributions]),
            found.errors,
            found.evaluations,
            found.background,
            found.ended,
        )

    return spread


def _scale(
    outputs: Floats, answers: Floats, manifest: ModelManifest
) -> tuple[str, Callable[[Attribution], Attribution]]:
    """What the sums of the trees are, and how they become an attribution of each output."""
    if manifest.task == "regression":
        candidates: Mapping[str, tuple[Floats, Any]] = {"value": (outputs, _as_it_is)}
    elif outputs.shape[1] == 1:
        with np.errstate(over="ignore"):
            likely = 1 / (1 + np.exp(-outputs))
        candidates = {
            "probability": (np.hstack([1 - outputs, outputs]), _of_both(1.0)),
            "log-odds": (np.hstack([1 - likely, likely]), _of_both(0.0)),
        }
    else:
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        likely = powers / powers.sum(axis=1, keepdims=True)
        candidates = {"probability": (outputs, _as_it_is), "log-odds": (likely, _as_it_is)}
    for scale, (found, spread) in candidates.items():
        if found.shape == answers.shape and np.allclose(found, answers, rtol=TOLERANCE, atol=TOLERANCE):
            return scale, spread
    raise UnfitError("its trees do not answer as it does")
