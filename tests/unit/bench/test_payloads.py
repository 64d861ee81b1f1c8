"""The forms of one question: each is as its protocol says, and the server reads the same rows from all."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.manifest import Column
from modelyard_serving import binary
from modelyard_serving.invocations import rows_of_csv, rows_of_json
from modelyard_serving.tensors import rows_of_tensors
from tests.bench.serving.payloads import (
    HEADER_LENGTH,
    OTHERS,
    V2_JSON,
    as_csv,
    deepened,
    instances,
    read_csv,
    read_predictions,
    read_v2,
    v2_binary,
    v2_json,
)

COLUMNS = [Column(name="a", type="float64", nullable=False), Column(name="b", type="float64", nullable=False)]
ROWS = pa.table({"a": [1.5, -2.0], "b": [0.125, 4.0]})


def tables() -> st.SearchStrategy[pa.Table]:
    number = st.floats(allow_nan=False, allow_infinity=False)
    rows = st.lists(st.tuples(number, number), min_size=1, max_size=8)
    return rows.map(lambda found: pa.table({"a": [a for a, _ in found], "b": [b for _, b in found]}))


def test_a_v2_request_has_a_tensor_for_each_column() -> None:
    content, headers = v2_json(ROWS, COLUMNS)
    assert headers == {}
    assert json.loads(content)["inputs"] == [
        {"name": "a", "shape": [2], "datatype": "FP64", "data": [1.5, -2.0]},
        {"name": "b", "shape": [2], "datatype": "FP64", "data": [0.125, 4.0]},
    ]


def test_a_binary_request_is_json_and_then_eight_bytes_a_number() -> None:
    content, headers = v2_binary(ROWS, COLUMNS)
    head = json.loads(content[: int(headers[HEADER_LENGTH])])
    assert [tensor["parameters"] for tensor in head["inputs"]] == [{"binary_data_size": 16}] * 2
    assert content[int(headers[HEADER_LENGTH]) :].hex() == (
        "000000000000f83f00000000000000c0000000000000c03f0000000000001040"
    )


@pytest.mark.parametrize("form", [v2_json, v2_binary])
def test_a_request_with_deeper_columns_has_the_same_rows(form: Any) -> None:
    content, headers = form(ROWS, COLUMNS)
    deep, told = deepened(content, headers)
    head = json.loads(deep[: int(told.get(HEADER_LENGTH, len(deep)))])
    assert [tensor["shape"] for tensor in head["inputs"]] == [[2, 1], [2, 1]]
    rest = memoryview(deep)[int(told.get(HEADER_LENGTH, len(deep))) :]
    flat = rows_of_tensors(COLUMNS, binary.read_tensors(head["inputs"], rest))
    assert [list(column) for column in flat.columns] == [[1.5, -2.0], [0.125, 4.0]]
    assert told.keys() == headers.keys()


def test_csv_has_a_line_a_row_and_no_names() -> None:
    content, headers = as_csv(ROWS, COLUMNS)
    assert content == b"1.5,0.125\n-2.0,4.0\n"
    assert headers == {"content-type": "text/csv", "accept": "text/csv"}


@given(tables())
def test_the_server_reads_the_same_rows_from_every_form(rows: pa.Table) -> None:
    expected = (rows["a"].to_pylist(), rows["b"].to_pylist())
    in_bytes, headers = v2_binary(rows, COLUMNS)
    head, rest = binary.header_of(in_bytes, headers[HEADER_LENGTH])
    read = [
        rows_of_tensors(COLUMNS, json.loads(v2_json(rows, COLUMNS)[0])["inputs"]),
        rows_of_tensors(COLUMNS, binary.read_tensors(json.loads(head)["inputs"], rest)),
        rows_of_json(COLUMNS, instances(rows, COLUMNS)[0]),
        rows_of_csv(COLUMNS, as_csv(rows, COLUMNS)[0]),
    ]
    assert [tuple(map(list, found.columns)) for found in read] == [expected] * len(read)


@pytest.mark.parametrize(
    ("outputs", "rest", "expected"),
    [
        ([{"name": "predict", "datatype": "BYTES", "data": ["yes", "no"]}], b"", ["yes", "no"]),
        (
            [
                {"name": "probability", "datatype": "FP64", "parameters": {"binary_data_size": 8}},
                {"name": "predict", "datatype": "BYTES", "parameters": {"binary_data_size": 13}},
            ],
            bytes(8) + b"\x03\0\0\0yes\x02\0\0\0no",
            ["yes", "no"],
        ),
        (
            [{"name": "predict", "datatype": "FP64", "parameters": {"binary_data_size": 8}}],
            bytes.fromhex("000000000000f83f"),
            [1.5],
        ),
        ([{"name": "probability", "datatype": "FP64", "data": [0.5]}], b"", []),
        ([{"name": "predict", "datatype": "FP64", "parameters": None, "data": [0.5]}], b"", [0.5]),
    ],
)
def test_predictions_are_found_in_json_and_behind_it(
    outputs: list[dict[str, Any]], rest: bytes, expected: list[Any]
) -> None:
    assert read_v2(json.dumps({"outputs": outputs}).encode() + rest) == expected


def test_predictions_are_found_in_the_answers_of_the_other_protocols() -> None:
    assert read_predictions(b'{"predictions": ["yes", 1.5], "inference_id": "a"}') == ["yes", 1.5]
    assert read_csv(b"yes\nno\n") == ["yes", "no"]


def test_no_two_requests_of_a_model_share_a_file(tmp_path: Path) -> None:
    made = [
        payload.request(ROWS.slice(0, count), COLUMNS, tmp_path) for payload in (V2_JSON, *OTHERS) for count in (1, 2)
    ]
    assert len({each.body for each in made}) == len(made)
    assert all(each.body.read_bytes() for each in made)


def test_a_request_is_json_unless_its_payload_says_otherwise(tmp_path: Path) -> None:
    types = {each.name: each.request(ROWS, COLUMNS, tmp_path).complete["content-type"] for each in (V2_JSON, *OTHERS)}
    assert types == {
        "V2 JSON": "application/json",
        "V2 binary": "application/octet-stream",
        "V1 JSON": "application/json",
        "SageMaker CSV": "text/csv",
        "SageMaker JSON": "application/json",
    }
