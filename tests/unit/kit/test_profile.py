"""Profiles: edges are fixed once, and newer rows are counted on them exactly as the reference was."""

import datetime as dt
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.contract.manifest import Column
from modelyard_kit.histogram import edges_of, known_counts, numbers, numeric_counts
from modelyard_kit.profile import profile_table

FLOATS = st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), max_size=60)


@settings(deadline=None)
@given(FLOATS, st.integers(2, 20))
def test_every_row_is_counted_once_as_null_or_in_a_bin(values: list[float | None], bins: int) -> None:
    table = pa.table({"x": pa.array(values, pa.float64())})
    column = profile_table(table, [Column(name="x", type="float64")], bins=bins).columns[0]
    assert column.numeric is not None
    assert column.count == len(values)
    assert column.nulls + sum(column.numeric.counts) == len(values)
    assert column.canonical()  # no NaN and no infinity gets into the document


@settings(deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200), st.integers(2, 20))
def test_the_reference_lies_within_its_own_edges(values: list[float], bins: int) -> None:
    array = np.asarray(values)
    edges = edges_of(array, bins)
    counts = numeric_counts(array, edges)
    assert edges == sorted(set(edges))
    assert len(edges) <= bins + 1
    assert len(counts) == len(edges) + 1
    assert counts[0] == counts[-1] == 0


def test_values_outside_the_edges_are_under_and_overflow() -> None:
    edges = edges_of(np.arange(100.0), 4)
    assert numeric_counts(np.array([-1.0, 0.0, 99.0, 99.5, math.inf, -math.inf]), edges) == [2, 1, 0, 0, 1, 2]


def test_few_distinct_values_get_a_bin_each() -> None:
    edges = edges_of(np.array([1.0, 1.0, 2.0, 5.0]), 20)
    assert edges[:3] == [1.0, 2.0, 5.0]
    assert numeric_counts(np.array([1.0, 2.0, 2.0, 5.0]), edges) == [0, 1, 2, 1, 0]


def test_categories_beyond_the_largest_are_other() -> None:
    table = pa.table({"c": ["a"] * 5 + ["b"] * 3 + ["c", "d", None]})
    column = profile_table(table, [Column(name="c", type="string")], max_categories=2).columns[0]
    assert column.categorical is not None
    assert (column.categorical.top, column.categorical.other, column.categorical.distinct) == ({"a": 5, "b": 3}, 2, 4)
    assert column.nulls == 1
    assert known_counts(pa.array(["b", "z", "a", "b", None]), ["a", "b"]) == ([1, 2], 1)


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        (pa.array([dt.datetime(1970, 1, 2, tzinfo=dt.UTC)], pa.timestamp("us", tz="UTC")), 86400.0),
        (pa.array([dt.date(1970, 1, 3)], pa.date32()), 172800.0),
    ],
)
def test_times_are_numbers_of_seconds(values: pa.Array, seconds: float) -> None:
    assert numbers(values).tolist() == [seconds]


def test_bools_are_categories() -> None:
    table = pa.table({"b": [True, False, True]})
    column = profile_table(table, [Column(name="b", type="bool")]).columns[0]
    assert column.categorical is not None
    assert column.categorical.top == {"true": 2, "false": 1}
