"""Models as ONNX graphs, which training exports beside the native file: a fraction of its CPU for the same answers.

Safety: a graph holds no code, but can loop and read other files: what does either is refused before it is loaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError

from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_kit.safety import Safety
from modelyard_kit.tabular import column_values, in_float32, in_numbers, values_matrix

FILE = "model.onnx"
SAFETY = Safety.GRAPH
MISSING = "\ue000missing"  # ONNX has no missing strings; no text that people write begins so
MAX_BYTES = 512 * 2**20
DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
REFUSED = frozenset({"If", "Loop", "Scan", "SequenceMap"})  # of any length of time

Vector = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class OnnxModel(LoadedModel):
    session: onnxruntime.InferenceSession

    def predict(self, table: pa.Table) -> Prediction:
        return self._answered(self.fed([of_table(table[column.name], column) for column in self.manifest.features]))

    def predict_columns(self, columns: Sequence[Sequence[Any]]) -> Prediction:
        """Without Arrow in between: most of a small request's cost."""
        features = self.manifest.features
        if self._is_numeric:
            return self._answered({self._inputs[0]: in_float32(values_matrix(columns, features))})
        vectors = [of_values(values, column) for values, column in zip(columns, features, strict=True)]
        return self._answered(self.fed(vectors))

    def fed(self, vectors: list[Vector]) -> dict[str, Vector]:
        """The session's inputs, of one vector per feature: they are these, in order, or columns of the one matrix."""
        if len(self._inputs) == 1:
            return {self._inputs[0]: np.column_stack(vectors)}
        return {name: vector.reshape(-1, 1) for name, vector in zip(self._inputs, vectors, strict=True)}

    def _answered(self, given: dict[str, Vector]) -> Prediction:
        outputs = self.session.run(None, given)
        if self.manifest.task == "regression":
            return Prediction([float(value) for value in np.asarray(outputs[0]).ravel()])
        return self.chosen(np.asarray(outputs[-1], dtype=np.float64))

    @cached_property
    def _is_numeric(self) -> bool:
        """Whether the one matrix is made of numbers."""
        return len(self._inputs) == 1 and all(column.type != "string" for column in self.manifest.features)

    @cached_property
    def _inputs(self) -> list[str]:
        return [given.name for given in self.session.get_inputs()]


def of_table(values: pa.ChunkedArray, column: Column) -> Vector:
    if column.type == "string":
        values = pc.fill_null(values.cast(pa.string()), MISSING)
    found: Vector = column_values(values, column.type)
    return found if column.type == "string" else in_float32(found)


def of_values(values: Sequence[Any], column: Column) -> Vector:
    """As `of_table` for the same values; None is missing."""
    if column.type == "string":
        return np.array([MISSING if value is None else value for value in values], dtype=object)
    return in_float32(in_numbers(values, column))


def load(path: Path, manifest: ModelManifest) -> OnnxModel:
    """Raises UserFailure(UnsafeModel) for what a model of ours never holds, WorldFailure(Corrupt) for no model."""
    if path.stat().st_size > MAX_BYTES:
        raise UserFailure(Reason.UNSAFE_MODEL, f"{path.name} has more than {MAX_BYTES // 2**20} MiB")
    data = path.read_bytes()
    try:
        graph = onnx.load_from_string(data)
    except DecodeError as error:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} is no ONNX model: {error}") from error
    _check(graph)
    try:
        model = OnnxModel(manifest, session(data))
    except Exception as error:  # its errors have no common base
        raise WorldFailure(Reason.CORRUPT, f"{path.name} cannot be loaded: {error}") from error
    inputs = model.session.get_inputs()
    if len(inputs) != len(manifest.features) and [given.shape[1:] for given in inputs] != [[len(manifest.features)]]:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} does not take the features that its manifest names")
    return model


def session(data: bytes) -> onnxruntime.InferenceSession:
    """One thread: requests share cores with each other, and small trees are slower on several."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _check(model: onnx.ModelProto) -> None:
    nodes = model.graph.node
    attributes = [attribute for node in nodes for attribute in node.attribute]
    tensors = [*model.graph.initializer, *(a.t for a in attributes if a.HasField("t"))]
    found = {f"domain {node.domain}" for node in nodes if node.domain not in DOMAINS}
    found |= {node.op_type for node in nodes if node.op_type in REFUSED or any(_holds_graph(a) for a in node.attribute)}
    if model.functions:
        found.add("functions")
    if model.graph.sparse_initializer:
        found.add("sparse tensors")
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in tensors):
        found.add("data in other files")
    if found:
        said = ", ".join(sorted(found))
        raise UserFailure(Reason.UNSAFE_MODEL, f"the model holds what serving does not load: {said}")


def _holds_graph(attribute: onnx.AttributeProto) -> bool:
    return bool(attribute.HasField("g") or attribute.graphs)
