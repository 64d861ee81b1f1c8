"""Frames: columns of every type in the form models take them."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from modelyard.contract.manifest import Column, ColumnType
from modelyard_kit.tabular import arrow_schema, class_labels, table_frame

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


def test_models_see_numbers_and_strings_only() -> None:
    frame = table_frame(TABLE, COLUMNS)
    assert [str(kind) for kind in frame.dtypes] == ["float64", "float64", "float64", "object", "float64", "float64"]
    assert frame["t"][0] == frame["d"][0] == dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()
    assert frame["s"].tolist() == ["x", None]


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
