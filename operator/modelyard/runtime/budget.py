"""How often one resource may be written for: a fight with somebody over its children must not become a storm."""

import time
from collections.abc import Callable

from modelyard.plan.plan import Key

CAPACITY = 60  # writes at once: a ModelDeployment with a rollout under way makes about 15
REFILL = 0.2  # writes a second


class OverBudgetError(Exception):
    """The resource's writes are used up; `wait` is in how many seconds there is one again."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"{CAPACITY} writes for one resource in a short time: does somebody else change its children?")
        self.wait = wait


class Budget:
    """A token bucket for each resource. A full one takes no memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._empty_until: dict[Key, float] = {}  # when the bucket would be full again

    def spend(self, key: Key) -> None:
        """One write. Raises OverBudgetError."""
        now = self._clock()
        full_at = max(now, self._empty_until.get(key, now)) + 1 / REFILL
        over = full_at - now - CAPACITY / REFILL
        if over > 0:
            raise OverBudgetError(over)
        self._empty_until[key] = full_at

    def forget(self, key: Key) -> None:
        self._empty_until.pop(key, None)
