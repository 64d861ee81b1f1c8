"""Sampled attributions keep Shapley's properties, for random functions of random columns."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard_serving.explanation.attribution import Attribution, Floats
from modelyard_serving.explanation.budget import Budget, StoppedError
from modelyard_serving.explanation.permutation import BATCH, pair_size, permutation_shapley
from tests.unit.serving_image.explanations import shapley

Function = Callable[[Floats], Floats]  # [rows, columns] -> [rows, outputs]
SEEDS = st.integers(0, 2**32 - 1)
COLUMNS = st.integers(1, 6)


def function(random: np.random.Generator, columns: int) -> Function:
    """Not additive, of two outputs."""
    one, two, three = (random.normal(size=(columns, 2)) for _ in range(3))
    return lambda rows: np.tanh(rows @ one) + (rows @ two) * (rows @ three)


def asking(of: Function, row: Floats, background: Floats, sizes: list[int] | None = None) -> Any:
    def ask(masks: Any, places: Any) -> Floats:
        if sizes is not None:
            sizes.append(len(masks))
        return of(np.where(masks, row, background[places]))

    return ask


def explained(
    of: Function, row: Floats, background: Floats, budget: Budget | None = None, seed: int = 0
) -> Attribution:
    budget = budget or Budget(10**9, 60.0, 1)
    budget.begin_row()
    ask = asking(of, row, background)
    return permutation_shapley(ask, of(row[None])[0], len(row), len(background), budget, np.random.default_rng(seed))


def case(seed: int, columns: int, rows: int = 7) -> tuple[Function, Floats, Floats]:
    random = np.random.default_rng(seed)
    return function(random, columns), random.normal(size=columns), random.normal(size=(rows, columns))


@given(SEEDS, COLUMNS)
def test_attributions_sum_to_what_the_row_differs_from_the_background(seed: int, columns: int) -> None:
    of, row, background = case(seed, columns)
    found = explained(of, row, background)
    np.testing.assert_allclose(found.base, of(background).mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(found.attributions.sum(axis=1), found.values - found.base, atol=1e-9)
    assert (found.background, found.ended) == (len(background), False)
    assert found.evaluations == 1 + len(background) * pair_size(columns)


@given(SEEDS, st.integers(2, 6), st.data())
def test_a_column_that_the_model_does_not_use_gets_nothing(seed: int, columns: int, data: st.DataObject) -> None:
    of, row, background = case(seed, columns)
    unused = data.draw(st.integers(0, columns - 1))

    def without(rows: Floats) -> Floats:
        return of(np.where(np.arange(columns) == unused, 0.0, rows))

    found = explained(without, row, background)
    assert found.errors is not None
    np.testing.assert_allclose(found.attributions[:, unused], 0, atol=1e-12)  # a product of matrices rounds by its size
    np.testing.assert_allclose(found.errors[:, unused], 0, atol=1e-12)
    assert found.attributions.any()


@given(SEEDS)
def test_two_columns_that_are_exchangeable_get_the_same(seed: int) -> None:
    """Of two columns an order and its reverse are all there are: nothing is left to chance."""
    random = np.random.default_rng(seed)
    own, others = random.normal(), random.normal(size=5)
    found = explained(
        lambda rows: (rows[:, :1] * rows[:, 1:]) ** 2, np.array([own, own]), np.column_stack([others, others])
    )
    np.testing.assert_allclose(found.attributions[:, 0], found.attributions[:, 1], atol=1e-9)


@settings(max_examples=25)
@given(SEEDS, st.integers(2, 5))
def test_attributions_are_within_five_standard_errors_of_shapleys_values(seed: int, columns: int) -> None:
    of, row, background = case(seed, columns, rows=300)

    def value(members: tuple[bool, ...]) -> Floats:
        mean: Floats = of(np.where(members, row, background)).mean(axis=0)
        return mean

    found = explained(of, row, background, seed=seed)
    assert found.errors is not None
    expected = shapley(value, columns)
    assert np.all(np.abs(found.attributions - expected) <= 5 * found.errors + 1e-9)
    assert np.all(found.errors < of(background).std(axis=0)[:, None] / 2)


def test_the_budget_of_evaluations_is_kept_and_what_is_left_goes_to_later_rows() -> None:
    of, row, background = case(1, 4, rows=50)
    budget = Budget(100, 60.0, 2)
    first = explained(of, row, background, budget)
    assert first.ended
    assert first.evaluations == 1 + 7 * pair_size(4)  # 50 in all
    np.testing.assert_allclose(first.attributions.sum(axis=1), first.values - first.base, atol=1e-9)
    second = explained(of, row, background, budget)
    assert first.evaluations + second.evaluations <= 100


def test_the_budget_of_seconds_ends_it_with_what_it_has() -> None:
    of, row, background = case(2, 4, rows=10_000)
    now = [0.0]
    budget = Budget(10**9, 1.0, 1, clock=lambda: now[0])

    def slow(rows: Floats) -> Floats:
        now[0] += 0.001 * len(rows)
        return of(rows)

    found = explained(slow, row, background, budget)
    assert found.ended
    assert 900 < found.evaluations < 1000 + BATCH
    assert found.background < 10_000


def test_a_model_is_asked_few_rows_at_a_time_however_many_columns_it_has() -> None:
    of, row, background = case(3, 400, rows=2)
    sizes: list[int] = []
    budget = Budget(10**9, 60.0, 1)
    budget.begin_row()
    ask = asking(of, row, background, sizes)
    found = permutation_shapley(ask, of(row[None])[0], 400, 2, budget, np.random.default_rng(0))
    assert max(sizes) == BATCH
    np.testing.assert_allclose(found.attributions.sum(axis=1), found.values - found.base, atol=1e-6)


def test_a_single_sample_has_no_standard_error() -> None:
    of, row, background = case(4, 3, rows=1)
    assert explained(of, row, background).errors is None


@pytest.mark.parametrize("columns", [4, 400])
def test_the_least_is_one_pair_of_orders_whatever_the_budget_says(columns: int) -> None:
    of, row, background = case(5, columns)
    found = explained(of, row, background, Budget(1, 1e-9, 1))
    assert (found.background, found.evaluations, found.ended) == (1, 1 + pair_size(columns), True)
    np.testing.assert_allclose(found.attributions.sum(axis=1), found.values - found.base, atol=1e-6)


def test_a_stop_ends_it_between_two_questions() -> None:
    of, row, background = case(6, 4, rows=10_000)
    budget = Budget(10**9, 60.0, 1)
    asked = [0]

    def stopping(rows: Floats) -> Floats:
        asked[0] += 1
        if asked[0] == 3:
            budget.stop()
        return of(rows)

    with pytest.raises(StoppedError):
        explained(stopping, row, background, budget)
    assert asked == [3]  # a pair of orders after its own answer, and the next ones
