"""Status changes that only tell how far something is wait while many are written: what comes next replaces them.

As Kueue does with updates of workloads. What is ready, wrong or was decided is always told at once.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from modelyard.contract.about import ABOUT
from modelyard.contract.reasons import Reason
from modelyard.plan.plan import Key

WAIT = 3.0  # seconds at most
MANY = 20  # status writes within a second
_PROGRESS = {"phase", "progress", "conditions"}


class Coalescing:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._writes: deque[float] = deque(maxlen=MANY)  # when the last ones were made
        self._until: dict[Key, float] = {}  # until when a change waits

    def wait(self, key: Key, before: Mapping[str, Any], patch: Mapping[str, Any]) -> float:
        """Seconds that this patch of a status is to wait for another to replace it; 0 writes it now."""
        if not patch:
            self.forget(key)
            return 0.0
        now = self._clock()
        until = self._until.get(key)
        if _tells_progress(before, patch) and (self._busy(now) if until is None else now < until):
            return self._until.setdefault(key, now + WAIT) - now
        self._writes.append(now)
        self.forget(key)
        return 0.0

    def forget(self, key: Key) -> None:
        self._until.pop(key, None)

    def _busy(self, now: float) -> bool:
        return len(self._writes) == MANY and now - self._writes[0] < 1.0


def _tells_progress(before: Mapping[str, Any], patch: Mapping[str, Any]) -> bool:
    """Whether no condition changes its status or says what is wrong, and nothing but words and the phase changes."""
    if not _PROGRESS.issuperset(patch):
        return False
    old = before.get("conditions") or ()
    after = patch.get("conditions", old)
    wrong = any(condition not in old and ABOUT[Reason(condition["reason"])].fault for condition in after)
    return not wrong and _statuses(old) == _statuses(after)


def _statuses(conditions: Any) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in conditions}
