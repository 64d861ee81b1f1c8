"""Frames of plain values, as models take them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from modelyard.contract.manifest import Column
from modelyard_kit.tabular import arrow_schema, table_frame

if TYPE_CHECKING:
    import pandas as pd


def frame_of(rows: Mapping[str, Sequence[Any]], columns: Sequence[Column]) -> "pd.DataFrame":
    return table_frame(pa.Table.from_pydict(dict(rows), schema=arrow_schema(columns)), columns)
