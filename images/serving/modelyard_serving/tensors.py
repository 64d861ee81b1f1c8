"""The tensors of a V2 inference request: one per column, or one of two dimensions for all numeric columns."""

from collections.abc import Sequence
from math import prod
from typing import Any, TypeGuard

from modelyard.contract.manifest import Column
from modelyard_serving.errors import RequestError
from modelyard_serving.rows import MAX_ROWS, Rows, check_count, rows_of_columns, rows_of_lists
from modelyard_serving.values import is_plain

DATATYPES = frozenset(
    {"BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64", "BYTES"}
)
# What the metadata endpoint says a column is sent as; times and dates travel as RFC 3339 text.
DATATYPE_OF = {
    "bool": "BOOL",
    "int64": "INT64",
    "float64": "FP64",
    "string": "BYTES",
    "timestamp": "BYTES",
    "date": "BYTES",
}


def rows_of_tensors(features: Sequence[Column], inputs: object) -> Rows:
    """Raises `RequestError` 400 that names the tensor."""
    if not isinstance(inputs, list) or not inputs:
        raise RequestError(400, "inputs is missing: send a list of tensors, one per column of the model")
    told = _as_told(features, inputs)
    if told is not None:
        return told
    matrix = _matrix(features, inputs)
    if matrix is not None:
        return rows_of_lists(features, matrix)
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        name, shape, data = _parts(tensor)
        if len(shape) == 2 and shape[1] != 1:
            raise _unlike_a_column(name, shape)
        if name in columns:
            raise RequestError(400, f"tensor {name!r} is given twice: send each column once")
        columns[name] = data
    return rows_of_columns(features, columns)


def _as_told(features: Sequence[Column], inputs: list[Any]) -> Rows | None:
    """In one look, the rows of a request that is in every way as the metadata says, as most are; else None."""
    if len(inputs) != len(features) or not isinstance(inputs[0], dict) or not isinstance(inputs[0].get("data"), list):
        return None
    count = len(inputs[0]["data"])
    if not 0 < count <= MAX_ROWS:
        return None
    flat, deep = [count], [count, 1]
    columns = []
    try:
        for feature, tensor in zip(features, inputs, strict=True):
            shape, data = tensor["shape"], tensor["data"]
            if tensor["name"] != feature.name or tensor["datatype"] != DATATYPE_OF[feature.type]:
                return None
            if (
                (shape != flat and shape != deep)
                or type(shape[0]) is not int
                or not isinstance(data, list)
                or len(data) != count
            ):
                return None
            if not is_plain(feature.type, data):
                return None
            columns.append(data)
    except (KeyError, TypeError):  # a part is missing, or it is no tensor at all
        return None
    return Rows(count, tuple(columns))


def _matrix(features: Sequence[Column], inputs: list[Any]) -> list[list[Any]] | None:
    """The rows of the one numeric 2-D tensor, or None where the request has columns."""
    if len(inputs) != 1:
        return None
    name, shape, data = _parts(inputs[0])
    if len(shape) != 2 or name in {feature.name for feature in features}:
        return None
    if inputs[0]["datatype"] == "BYTES":
        raise RequestError(400, f"tensor {name!r} of two dimensions must be numeric: send one tensor per column")
    for feature in features:
        if feature.type in ("string", "timestamp", "date"):
            raise RequestError(
                400,
                f"tensor {name!r} cannot carry column {feature.name!r} ({feature.type}): send one tensor per column",
            )
    width = shape[1]
    return [data[start : start + width] for start in range(0, len(data), width)] if width else [[]] * shape[0]


def _parts(tensor: object) -> tuple[str, list[int], list[Any]]:
    """Name, shape and flat row-major data of a tensor."""
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise RequestError(400, "every tensor of inputs needs a name: {name, shape, datatype, data}")
    name = tensor["name"]
    datatype = tensor.get("datatype")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise RequestError(400, f"tensor {name!r} has datatype {datatype!r}: use one of {', '.join(sorted(DATATYPES))}")
    shape, data = tensor.get("shape"), tensor.get("data")
    if isinstance(data, list) and _is_flat(shape, data):
        check_count(len(data))
        return name, shape, data
    if not isinstance(shape, list) or not shape or not all(type(size) is int and size >= 0 for size in shape):
        raise RequestError(400, f"tensor {name!r} needs a shape: a list of sizes, the first is the number of rows")
    if len(shape) > 2:
        raise _unlike_a_column(name, shape)
    check_count(shape[0])
    if not isinstance(data, list):
        raise RequestError(400, f"tensor {name!r} needs data: a list of {shape[0]} rows")
    flat = _flat(data, len(shape))
    if list in map(type, flat):
        raise RequestError(400, f"tensor {name!r} has lists within its data that are deeper than its shape {shape}")
    if len(flat) != prod(shape):
        raise RequestError(400, f"tensor {name!r} has {len(flat)} values, its shape {shape} needs {prod(shape)}")
    return name, shape, flat


def _is_flat(shape: object, data: list[Any]) -> TypeGuard[list[int]]:
    """Whether it is one value per row, as most tensors are."""
    if not isinstance(shape, list) or len(shape) != 1 or type(shape[0]) is not int or shape[0] != len(data):
        return False
    return list not in map(type, data)


def _flat(data: list[Any], most: int) -> list[Any]:
    """Takes `most` levels of lists away at most: deeper ones are no values of any column, and each costs a copy."""
    for _ in range(most):
        if list not in map(type, data):
            break
        data = [leaf for item in data for leaf in (item if isinstance(item, list) else [item])]
    return data


def _unlike_a_column(name: str, shape: list[int]) -> RequestError:
    told = str(shape) if len(shape) < 10 else f"of {len(shape)} sizes"
    return RequestError(400, f"tensor {name!r} has shape {told}: a column's shape is [rows] or [rows, 1]")
