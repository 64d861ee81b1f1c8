"""A resource that is written for again and again is slowed down; the others are not."""

import pytest

from modelyard.plan.plan import Key
from modelyard.runtime.budget import CAPACITY, REFILL, Budget, OverBudgetError

ONE, OTHER = Key("Dataset", "ns", "one"), Key("Dataset", "ns", "other")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def spent(clock: Clock) -> Budget:
    budget = Budget(clock)
    for _ in range(CAPACITY):
        budget.spend(ONE)
    return budget


def test_a_storm_of_writes_for_one_resource_is_held_up() -> None:
    budget = spent(Clock())
    with pytest.raises(OverBudgetError) as over:
        budget.spend(ONE)
    assert over.value.wait == pytest.approx(1 / REFILL)
    budget.spend(OTHER)


def test_waiting_as_long_as_told_is_enough_for_one_write() -> None:
    clock = Clock()
    budget = spent(clock)
    clock.now += 1 / REFILL
    budget.spend(ONE)
    with pytest.raises(OverBudgetError):
        budget.spend(ONE)


def test_a_refused_write_costs_nothing() -> None:
    clock = Clock()
    budget = spent(clock)
    for _ in range(50):
        with pytest.raises(OverBudgetError):
            budget.spend(ONE)
    clock.now += CAPACITY / REFILL
    for _ in range(CAPACITY):
        budget.spend(ONE)


def test_a_resource_made_anew_begins_anew() -> None:
    budget = spent(Clock())
    budget.forget(ONE)
    budget.spend(ONE)
