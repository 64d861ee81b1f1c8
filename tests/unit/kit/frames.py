"""Tables and frames of plain values, as models take them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from modelyard.contract.manifest import Column
from modelyard_kit.tabular import arrow_schema, table_frame

if TYPE_CHECKING:
    import pandas as pd


def table_of(rows: Mapping[str, Sequence[Any]], columns: Sequence[Column]) -> pa.Table:
    return pa.Table.from_pydict(dict(rows), schema=arrow_schema(columns))


def frame_of(rows: Mapping[str, Sequence[Any]], columns: Sequence[Column]) -> "pd.DataFrame":
    return table_frame(table_of(rows, columns), columns)
