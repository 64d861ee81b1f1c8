"""What is read by a known layout is what the reading step by step finds in the same bytes."""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelyard.contract.manifest import Column, ColumnType
from modelyard_serving import layouts
from modelyard_serving.binary import TYPES, encoded, read_tensors
from modelyard_serving.layouts import Layouts
from modelyard_serving.rows import Rows
from modelyard_serving.tensors import DATATYPE_OF, rows_of_tensors
from tests.unit.serving_image.test_typed import told

KINDS: tuple[ColumnType, ...] = ("bool", "int64", "float64", "string", "timestamp")
MIXED = [Column(name=kind, type=kind, nullable=place % 2 == 1) for place, kind in enumerate(KINDS)]
FLOATS = [Column(name=name, type="float64", nullable=name != "a") for name in "abc"]

WORDS = st.sampled_from(["", "é", "north", "2024-05-01T12:30:00Z"])
FLOAT = st.floats(width=16) | st.sampled_from([0.5, 1.0, -2.0])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "BYTES": WORDS,
    "BOOL": st.booleans(),
    **dict.fromkeys(("FP16", "FP32", "FP64"), FLOAT),
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[list[Column], dict[str, Any], bytes]:
    """The columns, the JSON and the bytes; mostly as the metadata says."""
    features = draw(st.sampled_from([MIXED, FLOATS]))
    count = draw(st.integers(1, 3))
    usual = [DATATYPE_OF[feature.type] for feature in features]
    kind = draw(st.sampled_from(["FP16", "FP32", "FP64"]))
    datatypes = draw(st.sampled_from([usual, usual, [kind] * len(features), draw(_datatypes(len(features)))]))
    if draw(st.booleans()):
        names, datatypes, shapes = ["rows"], datatypes[:1], [[count, len(features)]]
    else:
        names = [feature.name for feature in features]
        shapes = [draw(st.sampled_from([[count], [count, 1]])) for _ in names]
    parts = [draw(_content(datatype, shape)) for datatype, shape in zip(datatypes, shapes, strict=True)]
    inputs = [
        {"name": name, "shape": shape, "datatype": datatype, "parameters": {"binary_data_size": len(part)}}
        for name, shape, datatype, part in zip(names, shapes, datatypes, parts, strict=True)
    ]
    return features, {"inputs": inputs}, b"".join(parts)


def _datatypes(count: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(["BYTES", *TYPES]), min_size=count, max_size=count)


@st.composite
def _content(draw: st.DrawFn, datatype: str, shape: list[int]) -> bytes:
    size = int(np.prod(shape))
    values = VALUES.get(datatype, st.integers(0, 100))
    return encoded(datatype, draw(st.lists(values, min_size=size, max_size=size)))


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["name", "shape", "datatype", "parameters", "data"]),
        st.sampled_from([None, 1, "a", "FP32", [1], [2, 1], [1, 3], [1.0], {"binary_data_size": 8}, {}]),
    ),
    max_size=1,
)


def step_by_step(features: list[Column], body: Any, content: bytes) -> Rows:
    return rows_of_tensors(features, read_tensors(body["inputs"], memoryview(content)))


@settings(max_examples=500)
@example((FLOATS, {"inputs": []}, b""), [], b"", 0)
@given(requests(), CHANGES, st.binary(max_size=9), st.integers(0, 40))
def test_a_known_layout_gives_the_rows_that_are_found_step_by_step(
    request_: tuple[list[Column], Any, bytes], changes: Any, other: bytes, at: int
) -> None:
    """The bytes are those it was learned with, and others."""
    features, body, content = request_
    for place, field, value in changes:
        body["inputs"][place % len(body["inputs"])][field] = value
    known = Layouts(features)
    known.learn(b"head", body)
    changed = content[:at] + other + content[at + len(other) :]
    for each in (content, changed, content[:-1], content + b"\0"):
        found = told(lambda c: known.read(b"head", memoryview(c)), each)
        expected = told(lambda c: step_by_step(features, body, c), each)
        assert found is None or repr(found) == repr(expected)


def head(features: list[Column], parts: list[bytes], kind: str = "FP64", count: int = 2, **more: Any) -> dict[str, Any]:
    inputs = [
        {"name": each.name, "shape": [count], "datatype": kind, "parameters": {"binary_data_size": len(part)}}
        for each, part in zip(features, parts, strict=True)
    ]
    return {"inputs": inputs, **more}


PARTS = [np.array([1.5, -2.0]).tobytes()] * 3


@pytest.mark.parametrize("matrix", [False, True])
def test_floats_are_read_at_once(matrix: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(layouts, "typed")  # which looks at every value
    body = head(FLOATS, PARTS, outputs=[{"name": "predict"}], parameters={"binary_data_output": True})
    if matrix:
        body["inputs"] = head(FLOATS[:1], [b"".join(PARTS)])["inputs"]
        body["inputs"][0] |= {"name": "rows", "shape": [2, 3]}
    known = Layouts(FLOATS)
    assert known.read(b"head", memoryview(b"".join(PARTS))) is None
    known.learn(b"head", body)
    found = known.read(b"head", memoryview(b"".join(PARTS)))
    assert found is not None
    assert (found.outputs, found.parameters) == ([{"name": "predict"}], {"binary_data_output": True})
    by_row: tuple[Any, ...] = ([1.5, -2.0], [-2.0, 1.5], [1.5, -2.0])
    assert found.rows == Rows(2, by_row if matrix else ([1.5, -2.0],) * 3)


def test_a_missing_value_is_one_that_is_no_number() -> None:
    known = Layouts(FLOATS)
    content = np.array([1, 2, np.nan, 4, 5, np.nan]).tobytes()
    known.learn(b"head", head(FLOATS, PARTS))
    found = known.read(b"head", memoryview(content))
    assert found is not None
    assert found.rows.columns == ([1.0, 2.0], [None, 4.0], [5.0, None])


def test_a_request_with_an_id_is_not_kept_as_it_does_not_come_again() -> None:
    known = Layouts(FLOATS)
    known.learn(b"head", head(FLOATS, PARTS, id="7"))
    assert known.read(b"head", memoryview(b"".join(PARTS))) is None
    known.learn(b"head", head(FLOATS, PARTS, id=""))
    assert known.read(b"head", memoryview(b"".join(PARTS))) is not None


def test_layouts_take_no_more_than_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "ROOM", 1000)
    known, content = Layouts(FLOATS), memoryview(b"".join(PARTS))
    body = head(FLOATS, PARTS)
    long = orjson.dumps(body).ljust(900)
    for told_ in (long + b"1", long + b"2"):
        known.learn(told_, body)
    assert known.read(long + b"1", content) is None
    assert known.read(long + b"2", content) is not None
    known.learn(long.ljust(1001), body)
    assert known.read(long.ljust(1001), content) is None
    assert known.read(long + b"2", content) is not None
