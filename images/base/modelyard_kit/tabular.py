"""Rows of a dataset version: its files by split, verified, and the columns in the form models take them.

A model sees two kinds of column: float64 (numbers, bools, times in seconds; NaN is missing) and object
(strings; None is missing). Training, serving and the gate build their frames here, so they agree.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelyard.contract.manifest import BlobFile, Column, ColumnType, DatasetManifest
from modelyard.contract.store import dataset_manifest
from modelyard_kit.store import Store

if TYPE_CHECKING:
    import pandas as pd

EPOCH, DAY = date(1970, 1, 1).toordinal(), 86_400  # seconds
ARROW_TYPES: Mapping[ColumnType, pa.DataType] = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}


def load_manifest(store: Store, namespace: str, name: str, digest: str) -> DatasetManifest:
    """The manifest of a pinned version, verified."""
    return store.get_document(dataset_manifest(namespace, name, digest), DatasetManifest, digest)


def fetch_split(store: Store, manifest: DatasetManifest, split: str, folder: Path) -> list[Path]:
    """Downloads the Parquet files of a split into `folder`, each verified. Empty where there is no such split."""
    targets = []
    for number, file in enumerate(split_files(manifest, split)):
        target = folder / f"{split}-{number:04d}.parquet"
        store.get_blob(file.digest, target, file.bytes)
        targets.append(target)
    return targets


def read_split(store: Store, manifest: DatasetManifest, split: str, folder: Path) -> pa.Table:
    """A split as one table with exactly the manifest's columns and types; no rows where there is no such split."""
    schema = arrow_schema(manifest.columns)
    paths = fetch_split(store, manifest, split, folder)
    return pa.concat_tables([pq.read_table(path).cast(schema) for path in paths] or [schema.empty_table()])


def split_files(manifest: DatasetManifest, split: str) -> list[BlobFile]:
    return [file for file in manifest.files if file.split == split]


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.type], column.nullable) for column in columns])


def features(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.role == "feature"]


def label(columns: Sequence[Column]) -> Column | None:
    return next((column for column in columns if column.role == "label"), None)


def table_frame(table: pa.Table, columns: Sequence[Column]) -> "pd.DataFrame":
    """The given columns of a table in the form models take them."""
    import pandas as pd

    return pd.DataFrame({column.name: column_values(table[column.name], column.type) for column in columns})


def columns_table(values: Sequence[Sequence[Any]], columns: Sequence[Column]) -> pa.Table:
    """A table of plain values, one sequence per column; they have the columns' types already."""
    arrays = [pa.array(given, ARROW_TYPES[column.type]) for given, column in zip(values, columns, strict=True)]
    return pa.Table.from_arrays(arrays, [column.name for column in columns])


def class_labels(values: pa.ChunkedArray, column_type: ColumnType) -> list[str | None]:
    """Labels of a classification as strings: `1` for 1 and 1.0, `true` for a bool."""
    if column_type == "bool":
        return [None if value is None else str(value).lower() for value in values.to_pylist()]
    if column_type == "float64":
        return [None if v is None else str(int(v)) if v == int(v) else repr(v) for v in values.to_pylist()]
    return [None if value is None else str(value) for value in values.to_pylist()]


def column_values(values: pa.ChunkedArray, column_type: ColumnType) -> Any:
    """A column as a numpy array: object for strings, else float64."""
    if column_type == "string":
        return values.cast(pa.string()).to_numpy()
    if column_type in ("timestamp", "date"):
        micros = values.cast(pa.timestamp("us", tz="UTC" if column_type == "timestamp" else None)).cast(pa.int64())
        values = pc.divide(micros.cast(pa.float64()), 1e6)
    return values.cast(pa.float64(), safe=False).to_numpy().astype("float64", copy=False)


def table_matrix(table: pa.Table, columns: Sequence[Column]) -> npt.NDArray[np.float64]:
    """The given columns of a table as rows of numbers; none of them is text."""
    return np.column_stack([column_values(table[column.name], column.type) for column in columns])


def values_matrix(values: Sequence[Sequence[Any]], columns: Sequence[Column]) -> npt.NDArray[np.float64]:
    """As `table_matrix` for plain values, one sequence per column; None is missing."""
    numbers = [in_numbers(given, column) for given, column in zip(values, columns, strict=True)]
    return np.array(numbers, dtype=np.float64).T


def in_numbers(values: Sequence[Any], column: Column) -> Sequence[Any]:
    """Times and dates as seconds since 1970."""
    if column.type == "timestamp":
        return [None if value is None else value.timestamp() for value in values]
    if column.type == "date":
        return [None if value is None else (value.toordinal() - EPOCH) * DAY for value in values]
    return values


def in_float32(values: Any) -> npt.NDArray[Any]:
    """Numbers beyond its range become the largest it has, not infinite: what a graph makes of those is no number."""
    try:
        with np.errstate(over="raise"):
            return np.asarray(values, dtype=np.float32)
    except FloatingPointError:
        largest = np.finfo(np.float32).max
        return np.clip(np.asarray(values, dtype=np.float64), -largest, largest).astype(np.float32)
