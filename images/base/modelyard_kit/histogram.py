"""Counts on stored edges: how the baseline was counted is how newer rows are counted."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.contract.manifest import ColumnType

Floats = npt.NDArray[np.float64]
NUMERIC: frozenset[ColumnType] = frozenset({"int64", "float64", "timestamp", "date"})


def numbers(values: pa.ChunkedArray | pa.Array) -> Floats:
    """The present values of a numeric column as floats, times in seconds since 1970; NaN counts as missing."""
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(values.type):
        micros = values.cast(pa.timestamp("us", values.type.tz)).cast(pa.int64())
        values = pc.divide(micros.cast(pa.float64()), 1e6)
    found = values.drop_null().cast(pa.float64(), safe=False).to_numpy()
    return np.asarray(found[~np.isnan(found)], dtype=np.float64)


def words(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """The present values of a categorical column as strings; a bool is `true` or `false`."""
    return values.drop_null().cast(pa.string())


def edges_of(values: Floats, bins: int) -> list[float]:
    """Edges of at most `bins` bins of about equal counts; a bin per value where there are no more values than bins.

    The last edge lies just above the largest value, so that the reference itself never overflows.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return []
    distinct = np.unique(finite)
    if distinct.size > bins:  # values themselves, not interpolated: differences of huge ones are infinite
        ordered = np.sort(finite)
        distinct = np.unique(ordered[np.arange(bins) * ordered.size // bins])
    with np.errstate(over="ignore"):
        end = float(np.nextafter(finite.max(), np.inf))
    return [*map(float, distinct), *([end] if np.isfinite(end) else [])]


def numeric_counts(values: Floats, edges: Sequence[float]) -> list[int]:
    """Counts of [-inf, edge 0), each [edge i, edge i+1), and [last edge, inf]: len(edges) + 1 of them."""
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="right")
    return [int(count) for count in np.bincount(places, minlength=len(edges) + 1)]


def category_counts(values: pa.ChunkedArray | pa.Array) -> Counter[str]:
    """Counts by value, the missing left out."""
    found: list[dict[str, Any]] = pc.value_counts(words(values)).to_pylist()
    return Counter({item["values"]: item["counts"] for item in found})


def known_counts(values: pa.ChunkedArray | pa.Array, known: Sequence[str]) -> tuple[list[int], int]:
    """Counts of the known categories in their order, and of all others together."""
    counts = category_counts(values)
    return [counts[name] for name in known], sum(n for name, n in counts.items() if name not in set(known))
