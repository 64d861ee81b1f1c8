"""The queue between watches and workers: a Schedule that waits, with exponential backoff per key."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from modelyard.runtime.metrics import (
    LONGEST,
    QUEUE_ADDS,
    QUEUE_DEPTH,
    QUEUE_RETRIES,
    QUEUE_SECONDS,
    UNFINISHED,
    WORK_SECONDS,
)
from modelyard.runtime.schedule import Schedule

K = TypeVar("K")


def backoff(failures: int, jitter: float, first: float = 0.5, most: float = 300.0) -> float:
    """Seconds to wait after so many failures in a row; `jitter` in [0, 1] spreads keys that failed together."""
    return float(min(most, first * 2 ** min(failures - 1, 20)) * (0.5 + jitter / 2))


class Queue(Generic[K]):
    """A key that was worked on rests for `rest` seconds: what changes about it meanwhile is one reconcile, as the Job
    controller does with its pods."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        lane: Callable[[K], Hashable] = lambda key: None,
        rest: float = 0.0,
    ) -> None:
        self._schedule: Schedule[K] = Schedule(lane)
        self._failures: dict[K, int] = {}
        self._clock = clock
        self._jitter = jitter
        self._rest = rest
        self._resting: deque[tuple[float, K]] = deque()  # until when, the first to end first
        self._changed = asyncio.Event()
        self._since: dict[K, float] = {}  # from when on a key wants a worker
        self._taken: dict[K, float] = {}  # when a worker took it
        self._opened: float | None = None  # when the first worker came: a standby has none
        QUEUE_DEPTH.set_function(lambda: len(self))
        UNFINISHED.set_function(lambda: sum(self._ages()))
        LONGEST.set_function(lambda: max(self._ages(), default=0.0))

    def __len__(self) -> int:
        return len(self._schedule)

    def add(self, key: K) -> None:
        before = len(self)
        self._schedule.add(key)
        QUEUE_ADDS.inc(len(self) - before)
        self._wanted(key, self._clock())

    def add_after(self, key: K, seconds: float) -> None:
        time = self._clock() + seconds
        self._schedule.add_at(key, time)
        self._wanted(key, time)

    def retry(self, key: K, at_least: float = 0.0) -> float:
        """Put back after an error; returns the wait in seconds."""
        self._failures[key] = self._failures.get(key, 0) + 1
        wait = max(at_least, backoff(self._failures[key], self._jitter()))
        QUEUE_RETRIES.inc()
        self.add_after(key, wait)
        return wait

    def failures(self, key: K) -> int:
        """Errors in a row."""
        return self._failures.get(key, 0)

    def succeeded(self, key: K) -> None:
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key; no other worker gets it before `done`."""
        if self._opened is None:
            self._opened = self._clock()
        while True:
            now = self._clock()
            self._rested(now)
            before = len(self)
            key = self._schedule.take(now)
            if key is not None:
                QUEUE_ADDS.inc(len(self) + 1 - before)  # those whose delay has passed
                QUEUE_SECONDS.observe(now - max(self._opened, self._since.pop(key, now)))
                self._taken[key] = now
                return key
            due = self._next_due()
            self._changed.clear()
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - now)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def done(self, key: K) -> None:
        now = self._clock()
        WORK_SECONDS.observe(now - self._taken.pop(key))
        self._resting.append((now + self._rest, key))
        if len(self):
            self._changed.set()

    def _rested(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            self._schedule.done(self._resting.popleft()[1])

    def _next_due(self) -> float | None:
        """When a key can be ready next, none being so now. Who rests and is not wanted wakes nobody."""
        due = self._schedule.next_due()
        rested = self._resting[0][0] if self._resting and len(self) else None
        return min((time for time in (due, rested) if time is not None), default=None)

    def _wanted(self, key: K, time: float) -> None:
        self._since[key] = min(time, self._since.get(key, time))
        self._changed.set()

    def _ages(self) -> list[float]:
        now = self._clock()
        return [now - taken for taken in self._taken.values()]
