"""Where the columns are in the bytes behind a request's JSON: a client sends the same JSON again and again, with other
bytes, and to find it costs a fraction of reading it.

None stands for any other body: those that read it step by step take it, or say what is wrong with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from modelyard.contract.manifest import Column
from modelyard_serving import binary
from modelyard_serving.rows import MAX_ROWS, Rows, typed
from modelyard_serving.typed import Tensors

ROOM = 2**22  # bytes of JSON that are kept; where each request has one of its own they begin anew now and then
_FLOATS = frozenset({"FP16", "FP32", "FP64"})


class _Part(NamedTuple):
    """A tensor, and where its bytes are."""

    tensor: Mapping[str, Any]
    begin: int
    end: int


@dataclass(frozen=True)
class _Layout:
    """`numbers` is the type of all values where they are floats for columns of floats; `by_row` if they lie row by row,
    else column by column."""

    features: Sequence[Column]
    count: int
    size: int  # in bytes
    parts: tuple[_Part, ...]
    numbers: "np.dtype[Any] | None"
    by_row: bool
    outputs: Any
    parameters: Any

    def rows(self, content: memoryview) -> Rows | None:
        """Raises `RequestError` 400 for a value that its column cannot hold."""
        if len(content) != self.size:
            return None
        if self.numbers is None:
            columns = [binary.elements(part.tensor, content[part.begin : part.end]) for part in self.parts]
            plain = False
        else:
            values = np.frombuffer(content, self.numbers)
            shaped = values.reshape(self.count, -1).T if self.by_row else values.reshape(-1, self.count)
            columns, plain = shaped.tolist(), bool(np.isfinite(values).all())
        if not plain:
            if any(len(data) != self.count for data in columns):
                return None
            columns = [typed(feature, data) for feature, data in zip(self.features, columns, strict=True)]
        return Rows(self.count, tuple(columns))


class Layouts:
    """Of one model, whose columns are `features`."""

    def __init__(self, features: Sequence[Column]) -> None:
        self._features = features
        self._known: dict[bytes, _Layout] = {}
        self._kept = 0  # bytes

    def read(self, told: bytes, content: memoryview) -> Tensors | None:
        """The request of that JSON and the bytes behind it. Raises `RequestError` as the layout's `rows`."""
        layout = self._known.get(told)
        rows = layout.rows(content) if layout else None
        return None if layout is None or rows is None else Tensors(rows, None, layout.outputs, layout.parameters)

    def learn(self, told: bytes, body: Mapping[str, Any]) -> None:
        """`body` is the JSON, read; one with an id is not met again."""
        layout = _layout(self._features, body) if body.get("id") in (None, "") else None
        if layout is None or len(told) > ROOM:
            return
        self._kept += len(told)
        if self._kept > ROOM:
            self._known.clear()
            self._kept = len(told)
        self._known[told] = layout


def _layout(features: Sequence[Column], body: Mapping[str, Any]) -> _Layout | None:
    """Of one tensor per column, in their order, or of one for all of them where they are floats."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs or not all(map(_is_in_bytes, inputs)):
        return None
    shapes, datatypes = [tensor["shape"] for tensor in inputs], {tensor["datatype"] for tensor in inputs}
    if not all(map(_is_shape, shapes)):
        return None
    count, names = shapes[0][0], [feature.name for feature in features]
    as_columns = [tensor["name"] for tensor in inputs] == names and all(s in ([count], [count, 1]) for s in shapes)
    as_matrix = shapes == [[count, len(features)]] and inputs[0]["name"] not in names
    parts = _parts(inputs)
    if not (as_columns or as_matrix) or parts is None or not 0 < count <= MAX_ROWS:
        return None
    floats = len(datatypes) == 1 and _FLOATS.issuperset(datatypes) and all(f.type == "float64" for f in features)
    if as_matrix and not floats:
        return None
    numbers = np.dtype(binary.TYPES[inputs[0]["datatype"]]) if floats else None
    told = body.get("outputs"), body.get("parameters")
    return _Layout(features, count, parts[-1].end, parts, numbers, as_matrix, *told)


def _is_in_bytes(tensor: object) -> bool:
    """And nothing but what it needs."""
    return (
        isinstance(tensor, dict)
        and tensor.keys() == {"name", "shape", "datatype", "parameters"}
        and isinstance(tensor["name"], str)
        and isinstance(tensor["parameters"], dict)
        and type(tensor["parameters"].get("binary_data_size")) is int
        and isinstance(tensor["datatype"], str)
        and (tensor["datatype"] == "BYTES" or tensor["datatype"] in binary.TYPES)
    )


def _is_shape(shape: object) -> bool:
    return isinstance(shape, list) and len(shape) in (1, 2) and all(type(size) is int for size in shape)


def _parts(inputs: Sequence[Mapping[str, Any]]) -> tuple[_Part, ...] | None:
    """None where a size is not that of the values."""
    parts, end = [], 0
    for tensor in inputs:
        size, kind = tensor["parameters"]["binary_data_size"], binary.TYPES.get(tensor["datatype"])
        if size < 0 or (kind and size != np.dtype(kind).itemsize * prod(tensor["shape"])):
            return None
        parts.append(_Part(tensor, end, end + size))
        end += size
    return tuple(parts)
