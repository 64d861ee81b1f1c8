"""The queue's metrics mean what they mean in client-go."""

import pytest

from modelyard.runtime.queue import Queue
from tests.unit.runtime.samples import queue as told


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> Queue[str]:
    return Queue(clock=clock, jitter=lambda: 1.0)


async def test_a_key_that_waits_already_is_not_added_again(queue: Queue[str]) -> None:
    before = told("adds_total")
    for key in ("a", "a", "b"):
        queue.add(key)
    assert (told("adds_total") - before, told("depth")) == (2, 2)


async def test_a_key_that_comes_while_it_is_worked_on_is_added_once(queue: Queue[str]) -> None:
    before = told("adds_total")
    queue.add("a")
    await queue.get()
    queue.add("a")
    queue.add("a")
    assert (told("adds_total") - before, told("depth")) == (2, 1)


async def test_a_delayed_key_is_added_when_its_time_has_come(queue: Queue[str], clock: Clock) -> None:
    before = told("adds_total")
    queue.add_after("a", 10)
    queue.add_after("b", 10)
    assert (told("adds_total") - before, told("depth")) == (0, 0)
    clock.now += 11
    await queue.get()
    assert (told("adds_total") - before, told("depth")) == (2, 1)


async def test_an_error_is_a_retry_and_looking_again_on_purpose_is_none(queue: Queue[str]) -> None:
    before = told("retries_total")
    queue.retry("a")
    queue.add_after("b", 1)
    assert told("retries_total") - before == 1


async def test_waiting_is_measured_from_when_a_key_wanted_a_worker(queue: Queue[str], clock: Clock) -> None:
    queue.add("first")
    await queue.get()
    before = told("queue_duration_seconds_sum")
    queue.add("now")
    queue.add_after("later", 10)
    clock.now += 12
    assert {await queue.get(), await queue.get()} == {"now", "later"}
    assert told("queue_duration_seconds_sum") - before == 12 + 2


async def test_what_a_standby_let_wait_is_not_counted_as_waiting(queue: Queue[str], clock: Clock) -> None:
    before = told("queue_duration_seconds_sum")
    queue.add("a")
    clock.now += 3600
    assert await queue.get() == "a"
    assert told("queue_duration_seconds_sum") == before


async def test_work_is_measured_while_it_lasts_and_when_it_ends(queue: Queue[str], clock: Clock) -> None:
    before = told("work_duration_seconds_sum")
    queue.add("a")
    queue.add("b")
    await queue.get()
    clock.now += 3
    await queue.get()
    clock.now += 2
    assert (told("unfinished_work_seconds"), told("longest_running_processor_seconds")) == (5 + 2, 5)
    queue.done("a")
    assert told("work_duration_seconds_sum") - before == 5
    assert (told("unfinished_work_seconds"), told("longest_running_processor_seconds")) == (2, 2)
