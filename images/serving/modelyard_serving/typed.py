"""Bodies that are as the model's metadata says, as most are, read from JSON or CSV straight into its typed columns.

None stands for any other body: those that read it step by step take it, or say what is wrong with it.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import isfinite
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from modelyard.contract.manifest import Column, ColumnType
from modelyard_serving.rows import Rows, check_count, typed
from modelyard_serving.tensors import DATATYPE_OF
from modelyard_serving.values import INT64

_ANY: Any = None  # the default of what need not be there
_TYPES: dict[ColumnType, Any] = {
    "bool": bool,
    "int64": Annotated[int, msgspec.Meta(ge=INT64.start, le=INT64.stop - 1)],
    "float64": float,
    "string": str,
    "timestamp": str,
    "date": str,
}
_AS_SENT = frozenset({"bool", "int64", "float64", "string"})  # need nothing more
_AS_TEXT = _AS_SENT - {"bool"}  # nor as text: msgspec takes -0 for false
_shape, _data = attrgetter("shape"), attrgetter("data")


class Tensors(NamedTuple):
    """A V2 request; the other parts are as they came, None where they did not."""

    rows: Rows
    id: Any
    outputs: Any
    parameters: Any


class TypedBodies:
    """Of one model, whose columns are `features`."""

    def __init__(self, features: Sequence[Column]) -> None:
        self._features = features
        self._all_as_sent = all(feature.type in _AS_SENT for feature in features)
        self._tensors = msgspec.json.Decoder(_v2(features))
        self._instances = msgspec.json.Decoder(_instances(features))

    def tensors(self, body: bytes) -> Tensors | None:
        """Of one tensor per column, in their order. Raises `RequestError` 400 for a time that is none, 413."""
        found: Any = _decoded(self._tensors, body)
        if found is None:
            return None
        columns = tuple(map(_data, found.inputs))
        width, count = len(columns), len(columns[0])
        if list(map(len, columns)) != [count] * width:
            return None
        if list(map(_shape, found.inputs)) not in ([(count,)] * width, [(count, 1)] * width):
            return None
        rows = self._rows(count, columns)
        return None if rows is None else Tensors(rows, found.id, found.outputs, found.parameters)

    def instances(self, body: bytes) -> Rows | None:
        """Of `{"instances": [...]}`, all of them lists or all objects. Raises `RequestError` as `tensors`."""
        found: Any = _decoded(self._instances, body)
        if found is None or not found.instances:
            return None
        given = found.instances
        kinds = set(map(type, given))
        if len(kinds) > 1:
            return None
        if kinds != {tuple}:
            given = map(msgspec.structs.astuple, given)
        return self._rows(len(found.instances), tuple(map(list, zip(*given, strict=True))))

    def _rows(self, count: int, columns: tuple[list[Any], ...]) -> Rows | None:
        if count == 0:
            return None
        check_count(count)
        if not self._all_as_sent:
            pairs = zip(self._features, columns, strict=True)
            columns = tuple(data if each.type in _AS_SENT else typed(each, data) for each, data in pairs)
        return Rows(count, columns)


def cells(columns: Sequence[Column], lines: Sequence[Sequence[str]]) -> list[list[Any]] | None:
    """The values of lines of text, by column. None where one is empty, a time, a bool, or not plainly of its type."""
    kinds = tuple(column.type for column in columns)
    if not lines or not _AS_TEXT.issuperset(kinds) or any("" in line for line in lines):
        return None
    try:
        given = msgspec.convert(lines, _lines(kinds), strict=False)
    except ValueError:
        return None
    found = list(map(list, zip(*given, strict=True)))
    numbers = (data for kind, data in zip(kinds, found, strict=True) if kind == "float64")
    return found if all(isfinite(sum(data)) for data in numbers) else None


@lru_cache
def _lines(kinds: tuple[ColumnType, ...]) -> Any:
    types = tuple(_TYPES[kind] for kind in kinds)
    return list[tuple[types]]  # type: ignore[valid-type]


def _decoded(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError):  # msgspec's own errors are ValueErrors
        return None


def _v2(features: Sequence[Column]) -> type[msgspec.Struct]:
    tensors = tuple(map(_tensor, features))
    optional = [(name, Any, _ANY) for name in ("id", "outputs", "parameters")]
    inputs: list[Any] = [("inputs", tuple[tensors])]  # type: ignore[valid-type]
    return _struct("Request", [*inputs, *optional])


def _tensor(feature: Column) -> type[msgspec.Struct]:
    datatype = DATATYPE_OF[feature.type]
    fields = {
        "name": Literal[feature.name],
        "shape": tuple[int, ...],
        "datatype": Literal[datatype],
        "data": list[_value(feature)],  # type: ignore[misc]
    }
    return _struct("Tensor", fields.items())


def _instances(features: Sequence[Column]) -> type[msgspec.Struct]:
    values = tuple(map(_value, features))
    fields = [f"column{place}" for place in range(len(features))]  # a feature's name need not be one of Python's
    names = {field: feature.name for field, feature in zip(fields, features, strict=True)}
    row = _struct("Row", zip(fields, values, strict=True), rename=names)
    return _struct("Instances", [("instances", list[tuple[values] | row])])  # type: ignore[valid-type]


def _struct(name: str, fields: Iterable[tuple[Any, ...]], **options: Any) -> type[msgspec.Struct]:
    return msgspec.defstruct(name, list(fields), forbid_unknown_fields=True, gc=False, **options)


def _value(feature: Column) -> Any:
    kind = _TYPES[feature.type]
    return kind | None if feature.nullable else kind
