"""A watch that does not begin again is dead, whatever its connection looks like."""

import pytest

from modelyard.runtime.resources import WATCHED, resource_of
from modelyard.runtime.watches import SILENT, Place, Watches
from tests.unit.runtime.samples import sample

DATASETS_OF_B: Place = (resource_of("Dataset"), "b")
PLACES: list[Place] = [(resource, namespace) for resource in WATCHED for namespace in ("a", "b")]


class Clock:
    now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def expected(clock: Clock) -> Watches:
    watches = Watches(clock)
    for place in PLACES:
        watches.expect(place)
    return watches


def test_nothing_is_dead_before_watches_are_expected(clock: Clock) -> None:
    watches = Watches(clock)
    clock.now += 10 * SILENT
    assert watches.dead() == []


@pytest.mark.parametrize("status", [200, 403])
def test_a_watch_that_only_fails_is_dead_after_a_while(clock: Clock, status: int) -> None:
    watches = expected(clock)
    clock.now += SILENT + 1
    for place in PLACES:
        watches.begun(place, status if place == DATASETS_OF_B else 200)
    assert watches.dead() == ([] if status == 200 else ["Dataset"])
    assert watches.last_starts()["Dataset"] == (clock.now if status == 200 else 5000.0)


def test_beginnings_are_counted_by_what_came_of_them(clock: Clock) -> None:
    before = sample("modelyard_watch_starts_total", kind="Dataset", code="410")
    expected(clock).begun(DATASETS_OF_B, 410)
    assert sample("modelyard_watch_starts_total", kind="Dataset", code="410") - before == 1
