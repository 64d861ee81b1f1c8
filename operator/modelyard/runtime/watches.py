"""Whether the watches are alive. The API server ends each of them after some minutes, so each has to begin again:
one that has not for long is dead, even if its connection still seems to be open.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from modelyard.runtime.metrics import WATCH_STARTS
from modelyard.runtime.resources import Resource

SILENT = 1500.0  # seconds; each watch begins again after 480 at the latest

Place = tuple[Resource, str | None]  # what is watched, and in which namespace


class Watches:
    """When each watch last began."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._begun: dict[Place, float] = {}

    def expect(self, place: Place) -> None:
        """From now on this watch is to begin."""
        self._begun[place] = self._clock()

    def begun(self, place: Place, status: int) -> None:
        """The API server's answer to this watch; 0 is none."""
        WATCH_STARTS.labels(place[0].kind, str(status)).inc()
        if status == 200:
            self._begun[place] = self._clock()

    def last_starts(self) -> Mapping[str, float]:
        """Unix time by kind; of several namespaces the one that waits longest."""
        result: dict[str, float] = {}
        for (resource, _), moment in self._begun.items():
            result[resource.kind] = min(moment, result.get(resource.kind, moment))
        return result

    def dead(self) -> Sequence[str]:
        """The kinds of which nothing would be heard."""
        now = self._clock()
        return sorted(kind for kind, moment in self.last_starts().items() if now - moment > SILENT)
