"""What training saw in Parquet and what serving gets in a request become the same values."""

import datetime as dt
from typing import Any

import pyarrow as pa

from modelyard.contract.manifest import Column
from modelyard_kit.tabular import arrow_schema, columns_table, table_frame
from modelyard_serving.rows import rows_of_columns, rows_of_lists

FEATURES = [
    Column(name="b", type="bool"),
    Column(name="i", type="int64"),
    Column(name="f", type="float64"),
    Column(name="s", type="string"),
    Column(name="t", type="timestamp"),
    Column(name="d", type="date"),
]
SEEN = {
    "b": [True, None],
    "i": [3, None],
    "f": [0.5, None],
    "s": ["x", None],
    "t": [dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC), None],
    "d": [dt.date(2024, 1, 1), None],
}
ASKED: list[list[Any]] = [[1, 3.0, 0.5, "x", "2024-01-01T13:00:00+01:00", "2024-01-01"], [None] * 6]


def test_a_request_and_the_same_rows_of_a_dataset_give_the_same_frame() -> None:
    seen = table_frame(pa.table(SEEN, schema=arrow_schema(FEATURES)), FEATURES)
    by_column = {feature.name: [row[place] for row in ASKED] for place, feature in enumerate(FEATURES)}
    assert table_frame(columns_table(rows_of_columns(FEATURES, by_column).columns, FEATURES), FEATURES).equals(seen)
    assert table_frame(columns_table(rows_of_lists(FEATURES, ASKED).columns, FEATURES), FEATURES).equals(seen)
