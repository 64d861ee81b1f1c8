"""Which key is to be worked on next: deduplicated, one worker per key, delayed keys at their time. No clock, no I/O.

Keys wait in lanes, which take turns: a thousand keys in one lane hold up those of another by one key each.
"""

import heapq
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K")
_SPARE = 16  # entries: few keys are not tidied up after each time


class Schedule(Generic[K]):
    """A key added while it is worked on comes again afterwards; of several delays of a key the earliest counts.

    Taking a key forgets its delay: whoever works on it decides anew when to look again. Within a lane keys come in
    the order of their arrival.
    """

    def __init__(self, lane: Callable[[K], Hashable] = lambda key: None) -> None:
        self._lane = lane
        self._lanes: dict[Hashable, dict[K, None]] = {}  # of ready keys, in order of arrival
        self._turns: deque[Hashable] = deque()  # the lanes that hold keys, the next one first
        self._waiting = 0
        self._busy: set[K] = set()
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._waiting + len(self._again)

    def add(self, key: K) -> None:
        if key in self._busy:
            self._again.add(key)
        else:
            self._line_up(key)

    def add_at(self, key: K, time: float) -> None:
        if time < self._due.get(key, float("inf")):
            self._due[key] = time
            self._count += 1
            heapq.heappush(self._heap, (time, self._count, key))
            if len(self._heap) > 2 * len(self._due) + _SPARE:
                self._tidy()

    def take(self, now: float) -> K | None:
        """The next key, which is then busy until `done`; None if none is ready."""
        while self._heap and self._heap[0][0] <= now:
            time, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == time:
                del self._due[key]
                self.add(key)
        if not self._turns:
            return None
        lane = self._turns.popleft()
        key = next(iter(self._lanes[lane]))
        del self._lanes[lane][key]
        self._waiting -= 1
        if self._lanes[lane]:
            self._turns.append(lane)
        else:
            del self._lanes[lane]
        self._due.pop(key, None)
        self._busy.add(key)
        return key

    def done(self, key: K) -> None:
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._line_up(key)

    def next_due(self) -> float | None:
        """When the next delayed key becomes ready."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _tidy(self) -> None:
        """Drop the delays that were forgotten: far ahead, they would be kept until their time."""
        self._heap = [(time, number, key) for number, (key, time) in enumerate(self._due.items())]
        heapq.heapify(self._heap)
        self._count = len(self._heap)

    def _line_up(self, key: K) -> None:
        lane = self._lane(key)
        if lane not in self._lanes:
            self._lanes[lane] = {}
            self._turns.append(lane)
        if key not in self._lanes[lane]:
            self._lanes[lane][key] = None
            self._waiting += 1
