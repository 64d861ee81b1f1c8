"""Computes the profile of a table: the baseline that drift is measured against, on edges fixed once."""

import io
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.contract.manifest import Column
from modelyard.contract.profile import CategoricalProfile, ColumnProfile, NumericProfile, Profile
from modelyard_kit.histogram import NUMERIC, Floats, category_counts, edges_of, numbers, numeric_counts
from modelyard_kit.store import Store

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
SAMPLE_ROWS = 5000


def profile_table(
    table: pa.Table,
    columns: Sequence[Column],
    bins: int = 20,
    max_categories: int = 50,
    sample_digest: str | None = None,
) -> Profile:
    """The profile of all rows of `table`. Exact: quantiles and distinct counts are not estimated."""
    return Profile(
        rows=table.num_rows,
        columns=[profile_column(table[column.name], column, bins, max_categories) for column in columns],
        sample_digest=sample_digest,
    )


def profile_column(values: pa.ChunkedArray, column: Column, bins: int, max_categories: int) -> ColumnProfile:
    if column.type in NUMERIC:
        present = numbers(values)
        return ColumnProfile(
            name=column.name,
            type=column.type,
            kind="numeric",
            count=len(values),
            nulls=len(values) - len(present),
            numeric=_numeric(present, bins),
        )
    return ColumnProfile(
        name=column.name,
        type=column.type,
        kind="categorical",
        count=len(values),
        nulls=values.null_count,
        categorical=_categorical(values, max_categories),
    )


def publish_profile(store: Store, table: pa.Table, columns: Sequence[Column], bins: int, max_categories: int) -> str:
    """Profiles a table, stores a sample of its rows and the profile, and returns the profile's blob digest."""
    sample = store.put_blob(sample_bytes(table, [column.name for column in columns]))
    profile = profile_table(table, columns, bins, max_categories, sample)
    return store.put_blob(profile.canonical().encode())


def load_profile(store: Store, digest: str) -> Profile:
    return Profile.model_validate_json(store.blob_bytes(digest))


def sample_bytes(table: pa.Table, names: Sequence[str], rows: int = SAMPLE_ROWS) -> bytes:
    """Parquet of at most `rows` rows, drawn without replacement by a fixed seed, in their order."""
    if table.num_rows > rows:
        chosen = np.random.default_rng(0).choice(table.num_rows, rows, replace=False)
        table = table.take(pa.array(np.sort(chosen)))
    buffer = io.BytesIO()
    pq.write_table(table.select(list(names)), buffer, compression="zstd")
    return buffer.getvalue()


def _numeric(values: Floats, bins: int) -> NumericProfile:
    """Infinite values are counted below or above all bins and left out of the statistics."""
    finite = values[np.isfinite(values)]
    edges = edges_of(values, bins)
    if not finite.size:
        return NumericProfile(counts=[len(values)] if len(values) else [])
    with np.errstate(over="ignore", invalid="ignore"):  # squares of huge values: such a statistic is left out
        mean, std = float(finite.mean()), float(finite.std())
        quantiles = zip(QUANTILES, np.quantile(finite, QUANTILES), strict=True)
    return NumericProfile(
        min=float(finite.min()),
        max=float(finite.max()),
        mean=mean if np.isfinite(mean) else None,
        std=std if np.isfinite(std) else None,
        quantiles={str(q): float(value) for q, value in quantiles if np.isfinite(value)},
        edges=edges,
        counts=numeric_counts(values, edges),
    )


def _categorical(values: pa.ChunkedArray, max_categories: int) -> CategoricalProfile:
    counts = category_counts(values)
    top = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:max_categories])
    return CategoricalProfile(top=top, other=counts.total() - sum(top.values()), distinct=len(counts))
