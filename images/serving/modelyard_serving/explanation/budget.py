"""What one request for explanations may cost: rows that the model is asked, and seconds.

Rows share it evenly; what one leaves is for those after it. The least that makes an answer is not asked of it.
"""

import time
from collections.abc import Callable
from threading import Event


class StoppedError(Exception):
    """Nobody waits for the explanation any more."""


class Budget:
    """Used by the one thread that explains; any thread may `stop` it."""

    def __init__(
        self, evaluations: int, seconds: float, rows: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.evaluations, self.seconds = evaluations, seconds
        self._clock = clock
        self._stopped = Event()
        self._rows, self._row = rows, -1
        self._started = self._until = 0.0
        self._spent = self._may_spend = 0
        self.ended = False  # for this row

    def stop(self) -> None:
        self._stopped.set()

    def begin_row(self) -> None:
        if self._row < 0:
            self._started = self._clock()
        self._row += 1
        self.ended = False
        self._until = self._started + self.seconds * (self._row + 1) / self._rows
        self._may_spend = self._spent + (self.evaluations - self._spent) // (self._rows - self._row)

    def check(self) -> None:
        """Raises StoppedError."""
        if self._stopped.is_set():
            raise StoppedError

    def allows(self, evaluations: int = 0) -> bool:
        """Whether this row may cost as much more. Raises StoppedError."""
        self.check()
        self.ended = self._spent + evaluations > self._may_spend or self._clock() >= self._until
        return not self.ended

    def spend(self, evaluations: int) -> None:
        self._spent += evaluations
