"""The queue between watches and workers: a Schedule that waits, with exponential backoff per key."""

import asyncio
import random
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from modelyard.runtime.metrics import QUEUE_ADDS, QUEUE_DEPTH, QUEUE_RETRIES
from modelyard.runtime.schedule import Schedule

K = TypeVar("K")
_NAME = "modelyard"


def backoff(failures: int, jitter: float, first: float = 0.5, most: float = 300.0) -> float:
    """Seconds to wait after so many failures in a row; `jitter` in [0, 1] spreads keys that failed together."""
    return float(min(most, first * 2 ** min(failures - 1, 20)) * (0.5 + jitter / 2))


class Queue(Generic[K]):
    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        lane: Callable[[K], Hashable] = lambda key: None,
    ) -> None:
        self._schedule: Schedule[K] = Schedule(lane)
        self._failures: dict[K, int] = {}
        self._clock = clock
        self._jitter = jitter
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._schedule)

    def add(self, key: K) -> None:
        self._schedule.add(key)
        self._note()

    def add_after(self, key: K, seconds: float) -> None:
        self._schedule.add_at(key, self._clock() + seconds)
        self._note()

    def retry(self, key: K, at_least: float = 0.0) -> float:
        """Put back after an error; returns the wait in seconds."""
        self._failures[key] = self._failures.get(key, 0) + 1
        wait = max(at_least, backoff(self._failures[key], self._jitter()))
        QUEUE_RETRIES.labels(_NAME).inc()
        self.add_after(key, wait)
        return wait

    def failures(self, key: K) -> int:
        """Errors in a row."""
        return self._failures.get(key, 0)

    def succeeded(self, key: K) -> None:
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key; no other worker gets it before `done`."""
        while True:
            now = self._clock()
            key = self._schedule.take(now)
            if key is not None:
                QUEUE_DEPTH.labels(_NAME).set(len(self))
                return key
            due = self._schedule.next_due()
            self._changed.clear()
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - now)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def done(self, key: K) -> None:
        self._schedule.done(key)
        self._changed.set()

    def _note(self) -> None:
        QUEUE_ADDS.labels(_NAME).inc()
        QUEUE_DEPTH.labels(_NAME).set(len(self))
        self._changed.set()
