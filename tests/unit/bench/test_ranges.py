"""Figures are kept within recorded ranges."""

import pytest

from tests.bench.figures import Row
from tests.bench.operator.ranges import Range, load, outside

ROW = Row("writes", "writes", 4.5, 5)


@pytest.mark.parametrize("kept", [Range(max=4.5), Range(min=4.5), Range(min=4, max=5), Range()])
def test_figure_within_its_range_is_fine(kept: Range) -> None:
    assert outside([ROW], {"writes": kept}) == []


@pytest.mark.parametrize("kept", [Range(max=4.4), Range(min=4.6)])
def test_figure_outside_of_its_range_is_named_with_the_range(kept: Range) -> None:
    (problem,) = outside([ROW], {"writes": kept})
    assert problem.startswith("writes: 4.50 writes is outside of ")


def test_figure_without_a_range_is_a_problem() -> None:
    assert outside([ROW], {}) == ["writes: ranges.yaml has no range for it"]


def test_no_number_is_outside_of_every_range() -> None:
    assert outside([Row("writes", "writes", float("nan"), 5)], {"writes": Range()})


@pytest.mark.parametrize("size", ["full", "short"])
def test_recorded_ranges_are_readable_and_bound_something(size: str) -> None:
    ranges = load(size)
    assert ranges
    assert all(kept.min > float("-inf") or kept.max < float("inf") for kept in ranges.values())
