"""Writes a split as Parquet of the contract's types, and profiles it a column at a time."""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.contract.manifest import BlobFile, Column
from modelyard.contract.profile import Profile
from modelyard_dataset.sandbox import quoted
from modelyard_kit.profile import SAMPLE_ROWS, profile_column, sample_bytes
from modelyard_kit.store import Store
from modelyard_kit.tabular import arrow_schema

BATCH_ROWS = 65_536


def write_split(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], condition: str, target: Path) -> int:
    """Writes the rows of `this` for which the condition holds; returns their number."""
    names = ", ".join(quoted(column.name) for column in columns)
    schema = arrow_schema(columns)
    rows = 0
    reader = connection.execute(f"SELECT {names} FROM this WHERE {condition}").to_arrow_reader(BATCH_ROWS)
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
            rows += batch.num_rows
    return rows


def publish_split(store: Store, path: Path, split: str, rows: int) -> BlobFile:
    return BlobFile(digest=store.put_blob(path), bytes=path.stat().st_size, rows=rows, split=split)


def publish_profile(store: Store, path: Path, columns: Sequence[Column], bins: int, max_categories: int) -> str:
    """Profiles a Parquet file with one column in memory at a time; returns the blob digest of the profile.

    What is personal is left out: the profile has categories, and the sample rows.
    """
    rows = pq.read_metadata(path).num_rows
    chosen = np.arange(rows)
    if rows > SAMPLE_ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(rows, SAMPLE_ROWS, replace=False))
    profiles, sample = [], {}
    for column in (column for column in columns if not column.pii):
        values = pq.read_table(path, columns=[column.name])[column.name]
        profiles.append(profile_column(values, column, bins, max_categories))
        sample[column.name] = values.take(pa.array(chosen))
    digest = store.put_blob(sample_bytes(pa.table(sample), list(sample)))
    return store.put_blob(Profile(rows=rows, columns=profiles, sample_digest=digest).canonical().encode())
