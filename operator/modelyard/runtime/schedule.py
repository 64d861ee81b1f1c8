"""Which key is to be worked on next: deduplicated, one worker per key, delayed keys at their time. No clock, no I/O."""

import heapq
from typing import Generic, TypeVar

K = TypeVar("K")


class Schedule(Generic[K]):
    """A key added while it is worked on comes again afterwards; of several delays of a key the earliest counts.

    Taking a key forgets its delay: whoever works on it decides anew when to look again.
    """

    def __init__(self) -> None:
        self._ready: dict[K, None] = {}  # in order of arrival
        self._busy: set[K] = set()
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._ready) + len(self._again)

    def add(self, key: K) -> None:
        if key in self._busy:
            self._again.add(key)
        else:
            self._ready.setdefault(key)

    def add_at(self, key: K, time: float) -> None:
        if time < self._due.get(key, float("inf")):
            self._due[key] = time
            self._count += 1
            heapq.heappush(self._heap, (time, self._count, key))

    def take(self, now: float) -> K | None:
        """The next key, which is then busy until `done`; None if none is ready."""
        while self._heap and self._heap[0][0] <= now:
            time, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == time:
                del self._due[key]
                self.add(key)
        if not self._ready:
            return None
        key = next(iter(self._ready))
        del self._ready[key]
        self._due.pop(key, None)
        self._busy.add(key)
        return key

    def done(self, key: K) -> None:
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._ready.setdefault(key)

    def next_due(self) -> float | None:
        """When the next delayed key becomes ready."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
