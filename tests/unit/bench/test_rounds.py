"""Ratios of interleaved rounds, and the floors they are of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.serving.rounds import Pairs, interleaved

COSTS = st.floats(1.0, 1e4)


def test_who_begins_changes_from_round_to_round() -> None:
    order: list[str] = []

    def measure(name: str, cost: float) -> float:
        order.append(name)
        return cost

    pairs = interleaved(lambda: measure("ours", 3.0), lambda: measure("theirs", 2.0), 3)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert (pairs.ours, pairs.theirs) == ([3.0] * 3, [2.0] * 3)


def test_the_figure_is_the_median_of_the_rounds_and_not_of_all_times() -> None:
    pairs = Pairs([10.0, 40.0, 90.0], [10.0, 20.0, 30.0])
    assert pairs.ratio == 2.0
    assert pairs.medians == (40.0, 20.0)
    assert pairs.spread == "1.00 to 3.00 in 3 rounds"


def test_the_floor_is_the_echo_and_the_time_of_the_graph() -> None:
    assert Pairs([60.0, 75.0], [30.0, 40.0]).over(10.0) == pytest.approx(1.5)


@given(st.lists(st.tuples(COSTS, COSTS), min_size=1, max_size=9), st.floats(0.0, 1e3))
def test_a_higher_floor_never_makes_a_higher_ratio(costs: list[tuple[float, float]], more: float) -> None:
    pairs = Pairs([ours for ours, _ in costs], [theirs for _, theirs in costs])
    assert min(pairs.ratios) <= pairs.over(0.0) == pairs.ratio <= max(pairs.ratios)
    assert pairs.over(more) <= pairs.ratio
