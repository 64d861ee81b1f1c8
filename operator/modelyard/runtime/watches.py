"""Whether the watches are alive. The API server ends each of them after some minutes, so each has to begin again:
one that has not for long is dead, even if its connection still seems to be open.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import aiohttp

from modelyard.runtime.metrics import WATCH_STARTS, answered
from modelyard.runtime.resources import WATCHED

SILENT = 1500.0  # seconds; kopf begins each watch again after 600, or 660 when nothing is heard


class Watches:
    """When each watch last began. Written by kopf's thread, read by ours."""

    def __init__(self, namespaces: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        places: Sequence[str | None] = list(namespaces) or [None]
        self._kinds = {each.path(place): each.kind for each in WATCHED for place in places}
        self._begun: dict[str, float] = {}

    def expect(self) -> None:
        """From now on every watch is to begin."""
        self._begun = dict.fromkeys(self._kinds, self._clock())

    def last_starts(self) -> Mapping[str, float]:
        """Unix time by kind; of several namespaces the one that waits longest."""
        result: dict[str, float] = {}
        for path, moment in list(self._begun.items()):
            kind = self._kinds[path]
            result[kind] = min(moment, result.get(kind, moment))
        return result

    def dead(self) -> Sequence[str]:
        """The kinds of which nothing would be heard."""
        now = self._clock()
        return sorted(kind for kind, moment in self.last_starts().items() if now - moment > SILENT)

    def begun(self, path: str, status: int) -> None:
        """A watch of this URL path was answered; the path may have a prefix of a proxy. 0 is no answer."""
        for known, kind in self._kinds.items():
            if path.endswith(known):
                WATCH_STARTS.labels(kind, str(status)).inc()
                if status == 200:
                    self._begun[known] = self._clock()

    def tracing(self) -> aiohttp.TraceConfig:
        """For the session that makes the watches: counts its requests, too."""

        async def ended(session: Any, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
            self._seen(params.method, params.url.path, params.url.query, params.response.status)

        async def failed(session: Any, context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams) -> None:
            self._seen(params.method, params.url.path, params.url.query, 0)

        config = aiohttp.TraceConfig()
        config.on_request_end.append(ended)
        config.on_request_exception.append(failed)
        return config

    def _seen(self, method: str, path: str, query: Mapping[str, str], status: int) -> None:
        answered(method, status)
        if query.get("watch") == "true":
            self.begun(path, status)
