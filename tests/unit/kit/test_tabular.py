"""Frames: what training saw in Parquet and what serving gets in JSON become the same values."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from modelyard.contract.manifest import Column, ColumnType
from modelyard_kit.tabular import arrow_schema, class_labels, rows_frame, table_frame

COLUMNS = [
    Column(name="b", type="bool"),
    Column(name="i", type="int64"),
    Column(name="f", type="float64"),
    Column(name="s", type="string"),
    Column(name="t", type="timestamp"),
    Column(name="d", type="date"),
]
TABLE = pa.table(
    {
        "b": [True, None],
        "i": [3, None],
        "f": [0.5, None],
        "s": ["x", None],
        "t": [dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None],
        "d": [dt.date(2024, 1, 1), None],
    },
    schema=arrow_schema(COLUMNS),
)


def test_a_table_and_the_same_rows_from_json_give_the_same_frame() -> None:
    rows: dict[str, list[Any]] = {"b": [1, None], "i": [3.0, None], "f": ["0.5", None], "s": ["x", None]}
    rows |= {"t": ["2024-01-01T00:00:00Z", None], "d": ["2024-01-01", None]}
    made = rows_frame(rows, COLUMNS)
    expected = table_frame(TABLE, COLUMNS)
    assert made.equals(expected)
    assert [str(kind) for kind in made.dtypes] == ["float64", "float64", "float64", "object", "float64", "float64"]
    assert made["t"][0] == made["d"][0] == dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()


def test_an_absent_column_is_all_missing() -> None:
    frame = rows_frame({"f": [1, 2]}, COLUMNS[2:4])
    assert frame["f"].tolist() == [1.0, 2.0]
    assert frame["s"].tolist() == [None, None]


@pytest.mark.parametrize(("name", "value"), [("i", 1.5), ("f", "much"), ("b", "maybe"), ("t", "yesterday")])
def test_a_value_of_the_wrong_type_names_its_column(name: str, value: object) -> None:
    column = next(column for column in COLUMNS if column.name == name)
    with pytest.raises(ValueError, match=f"column {name} takes {column.type}"):
        rows_frame({name: [value]}, [column])


@pytest.mark.parametrize(
    ("values", "column_type", "expected"),
    [
        ([1, 0, None], "int64", ["1", "0", None]),
        ([1.0, 0.5], "float64", ["1", "0.5"]),
        ([True, False], "bool", ["true", "false"]),
        (["up"], "string", ["up"]),
    ],
)
def test_class_labels_are_strings(values: list[object], column_type: ColumnType, expected: list[str | None]) -> None:
    assert class_labels(pa.chunked_array([values]), column_type) == expected


def test_missing_numbers_are_nan() -> None:
    assert np.isnan(table_frame(TABLE, COLUMNS)["i"][1])
