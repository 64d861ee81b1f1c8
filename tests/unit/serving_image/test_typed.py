"""What is read straight into columns is what the reading step by step finds, and only what the metadata tells."""

import csv
import io
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.contract.manifest import Column, ColumnType
from modelyard_serving import invocations
from modelyard_serving.errors import RequestError
from modelyard_serving.invocations import rows_of_csv, rows_of_json
from modelyard_serving.rows import Rows
from modelyard_serving.tensors import DATATYPE_OF, rows_of_tensors
from modelyard_serving.typed import TypedBodies, cells

KINDS: tuple[ColumnType, ...] = ("bool", "int64", "float64", "string", "timestamp", "date")
FEATURES = [
    *(Column(name=kind, type=kind, nullable=False) for kind in KINDS),
    *(Column(name=f"nullable {kind}", type=kind, nullable=True) for kind in KINDS),
]
TYPED = TypedBodies(FEATURES)
ROW: list[Any] = [True, 7, 1.5, "é", "2024-05-01T12:30:00Z", "2024-05-01"]
USUAL = [*ROW, *[None] * 6]

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.sampled_from(["2024-05-01", "2024-05-01T12:30:00+02:00", [1.0]]),
)
changes = st.lists(st.tuples(st.integers(0, 2), st.integers(0, len(USUAL) - 1), values), max_size=2)
damage = st.one_of(
    st.none(),
    st.tuples(st.just("replace"), st.integers(0, 3000), st.sampled_from([b"", b" ", b"\\", b'"', b",", b"9", b"\xff"])),
    st.tuples(st.just("cut"), st.integers(0, 3000), st.just(b"")),
)


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Of one to three rows as the metadata tells, of which a value or two may be another."""
    made = [list(USUAL) for _ in range(draw(st.integers(1, 3)))]
    for row, place, value in draw(changes):
        made[row % len(made)][place] = value
    return [tuple(row) for row in made]


def v2(table: list[tuple[Any, ...]], deep: bool = False, **more: Any) -> dict[str, Any]:
    shape = [len(table), 1] if deep else [len(table)]
    columns = zip(*table, strict=True)
    return {
        "inputs": [
            {"name": each.name, "shape": shape, "datatype": DATATYPE_OF[each.type], "data": list(data)}
            for each, data in zip(FEATURES, columns, strict=True)
        ],
        **more,
    }


def damaged(body: bytes, how: Any) -> bytes:
    if how is None:
        return body
    kind, place, given = how
    place %= len(body)
    return body[:place] if kind == "cut" else body[:place] + given + body[place + 1 :]


def of_tensors(body: bytes) -> Rows:
    return rows_of_tensors(FEATURES, orjson.loads(body)["inputs"])


def told(read: Any, body: bytes) -> Any:
    """The columns with the types of their values, the refusal's words, or None for what is no request at all."""
    try:
        found = read(body)
    except RequestError as error:
        return error.message
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "no request"
    found = getattr(found, "rows", found)
    return found and (found.count, [[(type(value), value) for value in column] for column in found.columns])


@settings(max_examples=400)
@given(tables(), st.booleans(), damage)
def test_tensors_read_at_once_are_those_read_step_by_step(table: Any, deep: bool, how: Any) -> None:
    body = damaged(json.dumps(v2(table, deep)).replace("Infinity", "1e400").encode(), how)
    found = told(TYPED.tensors, body)
    assert found is None or found == told(of_tensors, body)


@settings(max_examples=400)
@given(tables(), st.booleans(), damage)
def test_instances_read_at_once_are_those_read_step_by_step(table: Any, objects: bool, how: Any) -> None:
    names = [feature.name for feature in FEATURES]
    given_rows = [dict(zip(names, row, strict=True)) if objects else row for row in table]
    body = damaged(json.dumps({"instances": given_rows}).replace("Infinity", "1e400").encode(), how)
    found = told(TYPED.instances, body)
    assert found is None or found == told(lambda content: rows_of_json(FEATURES, content), body)


@pytest.mark.parametrize("deep", [False, True])
def test_a_request_as_the_metadata_says_is_read_at_once(deep: bool) -> None:
    body = v2([tuple(USUAL)] * 3, deep, id="mine", outputs=[{"name": "predict"}], parameters={"timeout": 5})
    found = TYPED.tensors(json.dumps(body).encode())
    assert found is not None
    assert found.rows == of_tensors(json.dumps(body).encode())
    assert (found.id, found.outputs, found.parameters) == ("mine", [{"name": "predict"}], {"timeout": 5})


@pytest.mark.parametrize("objects", [False, True])
def test_rows_as_the_metadata_says_are_read_at_once(objects: bool) -> None:
    names = [feature.name for feature in FEATURES]
    row = dict(zip(reversed(names), reversed(USUAL), strict=True)) if objects else USUAL
    found = TYPED.instances(json.dumps({"instances": [row, row]}).encode())
    assert found is not None
    assert found.count == 2
    assert [column[0] for column in found.columns][:4] == ROW[:4]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": list(reversed(v2([tuple(USUAL)])["inputs"]))},
        {"inputs": v2([tuple(USUAL)])["inputs"][1:]},
        {"inputs": [{**each, "parameters": {"binary_data_size": 8}} for each in v2([tuple(USUAL)])["inputs"]]},
        {"inputs": [{**each, "shape": [2]} for each in v2([tuple(USUAL)])["inputs"]]},
        {"inputs": [{**each, "data": []} for each in v2([tuple(USUAL)])["inputs"]]},
        v2([tuple(USUAL)], other=1),
        {"instances": []},
        {"instances": [USUAL, dict(zip([each.name for each in FEATURES], USUAL, strict=True))]},
        {"instances": [USUAL[1:]]},
        {"instances": [[*USUAL, 1]]},
        [USUAL],
    ],
)
def test_any_other_body_is_left_to_those_that_read_step_by_step(body: Any) -> None:
    content = json.dumps(body).encode()
    assert TYPED.tensors(content) is None
    assert TYPED.instances(content) is None


def test_a_time_that_is_none_is_refused_by_its_column() -> None:
    row = [*USUAL[:4], "noon", *USUAL[5:]]
    with pytest.raises(RequestError, match="column 'timestamp', row 0"):
        TYPED.tensors(json.dumps(v2([tuple(row)])).encode())


texts = st.sampled_from(
    ["", " 7", "7.0", "1e3", "1_0", "nan", "inf", "-0", "9007199254740993.0", "true", "T", "x", "1e999"]
)


@settings(max_examples=400)
@given(
    tables(),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), texts), max_size=2),
    st.integers(0, 1),
    st.booleans(),
    damage,
)
def test_csv_read_at_once_is_what_is_read_step_by_step(
    table: Any, changed: Any, first: int, named: bool, how: Any
) -> None:
    """With a column of bools among them, and without, as only then it is read at once."""
    own = FEATURES[first:4]
    lines = [["" if value is None else str(value) for value in row[first:4]] for row in table]
    for row, place, text in changed:
        lines[row % len(lines)][place % len(own)] = text
    written = io.StringIO(newline="")
    csv.writer(written).writerows([[each.name for each in own], *lines] if named else lines)
    body = damaged(written.getvalue().encode("utf-8", "surrogatepass"), how)
    found = told(lambda content: rows_of_csv(own, content), body)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(invocations, "cells", lambda columns, lines: None)
        assert found == told(lambda content: rows_of_csv(own, content), body)


@pytest.mark.parametrize("named", [False, True])
def test_csv_as_the_metadata_says_is_read_at_once(named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    own, values_told = FEATURES[1:4], ROW[1:4]
    row = list(map(str, values_told))
    assert cells(own, [row]) == [[value] for value in values_told]
    body = ((",".join(each.name for each in own) + "\n" if named else "") + ",".join(row) + "\n").encode()
    monkeypatch.delattr(invocations, "rows_of_columns")  # which reads step by step
    assert rows_of_csv(own, body) == Rows(1, tuple([value] for value in values_told))


def test_a_first_line_that_names_the_columns_in_another_order_is_no_row() -> None:
    own = [Column(name=name, type="string") for name in ("a", "b")]
    assert rows_of_csv(own, b"b,a\n1,2\n") == Rows(1, (["2"], ["1"]))
    with pytest.raises(RequestError, match="no rows"):
        rows_of_csv(own, b"a,b\n")
