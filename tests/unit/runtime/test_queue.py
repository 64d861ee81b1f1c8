"""Waiting for keys, and waiting longer after each error."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.runtime.queue import Queue, backoff


@given(st.integers(1, 200), st.floats(0, 1))
def test_backoff_grows_to_a_limit_and_never_vanishes(failures: int, jitter: float) -> None:
    assert 0.25 <= backoff(failures, jitter) <= backoff(failures + 1, 1) <= 300


def test_keys_that_failed_together_come_back_apart() -> None:
    assert backoff(5, 0.0) == 4.0
    assert backoff(5, 1.0) == 8.0


async def test_a_waiting_worker_gets_the_next_key() -> None:
    queue: Queue[str] = Queue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    assert await asyncio.wait_for(waiting, 1) == "a"


async def test_an_earlier_delay_wakes_a_worker_that_waits_for_a_later_one() -> None:
    queue: Queue[str] = Queue()
    queue.add_after("late", 60)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add_after("soon", 0.02)
    assert await asyncio.wait_for(waiting, 1) == "soon"


async def test_a_key_is_never_with_two_workers() -> None:
    queue: Queue[str] = Queue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(0.01)
    assert not second.done()
    queue.done("a")
    assert await asyncio.wait_for(second, 1) == "a"


async def test_a_key_rests_and_what_it_is_wanted_for_meanwhile_is_one_reconcile() -> None:
    now = 0.0
    queue: Queue[str] = Queue(clock=lambda: now, rest=0.2)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    for key in ("a", "b", "a"):
        queue.add(key)
    assert await queue.get() == "b"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 0.01)
    now = 0.2
    assert await queue.get() == "a"
    assert len(queue) == 0


async def test_a_worker_is_woken_for_a_key_that_has_rested() -> None:
    queue: Queue[str] = Queue(rest=0.02)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    assert await asyncio.wait_for(waiting, 1) == "a"


async def test_errors_in_a_row_are_counted_until_one_succeeds() -> None:
    now = 0.0
    queue: Queue[str] = Queue(clock=lambda: now, jitter=lambda: 1.0)
    assert [queue.retry("a"), queue.retry("a"), queue.retry("a")] == [0.5, 1.0, 2.0]
    assert queue.failures("a") == 3
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 0.01)
    now = 0.5
    assert await queue.get() == "a"
    queue.succeeded("a")
    assert queue.retry("a") == 0.5
