"""Fetches the events about children that do not say themselves why they do not start, and the pods of Jobs that have
ended while their pods seem not to have, as planners ask for them.

Nothing waits for an answer. Silent about failures: what was told last stays, and is asked for again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.plan.observe import Told
from modelyard.plan.plan import Key, Object
from modelyard.plan.results import job_ended_at
from modelyard.runtime.cache import Cache
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError

EVERY = 15.0  # seconds between two questions about the same object; doubled while nothing new is told
SELDOM = 120.0
KEPT = 5  # events of an object
_AT_ONCE = 4  # a list of events reads all of its namespace
_TICK = 0.5  # seconds

log = logging.getLogger(__name__)


@dataclass
class Target:
    owner: Key
    ended_job: bool
    due: float
    pause: float = EVERY


class Inspection:
    def __init__(
        self, client: Client, cache: Cache, wake: Callable[[Key], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._cache = cache
        self._wake = wake
        self._clock = clock
        self._targets: dict[Key, dict[str, Target]] = {}  # by owner and uid

    def look_at(self, owner: Key, objects: tuple[Object, ...]) -> None:
        """From now on ask about exactly these children of the owner; what was told of others is forgotten."""
        wanted = {str(obj["metadata"]["uid"]): obj["kind"] == "Job" and bool(job_ended_at(obj)) for obj in objects}
        before = self._targets.pop(owner, {})
        for uid in before.keys() - wanted.keys():
            self._cache.set_told(uid, ())
        targets = {}
        for uid, ended_job in wanted.items():
            known = before.get(uid)
            same = known if known and known.ended_job == ended_job else None
            targets[uid] = same or Target(owner, ended_job, self._clock())
        if targets:
            self._targets[owner] = targets

    async def run(self) -> None:
        while True:
            await self.round()
            await asyncio.sleep(_TICK)

    async def round(self) -> None:
        """Asks about those whose turn has come first, a few at once."""
        now = self._clock()
        due = [(uid, t) for targets in self._targets.values() for uid, t in targets.items() if t.due <= now]
        due.sort(key=lambda item: (item[1].due, item[0]))
        await asyncio.gather(*(self._turn(uid, target) for uid, target in due[:_AT_ONCE]))

    async def _turn(self, uid: str, target: Target) -> None:
        await (self._read_pods(uid, target) if target.ended_job else self._read_events(uid, target))

    async def _read_pods(self, uid: str, target: Target) -> None:
        target.due = self._clock() + EVERY
        try:
            pods = await self._client.pods_of_job(target.owner.namespace, uid)
        except ApiError as error:
            log.debug("pods of a child of %s cannot be listed: %s", target.owner, error)
            return
        for pod in pods:
            self._cache.put(pod)
        if self._cache.set_pods_read(uid):
            self._wake(target.owner)

    async def _read_events(self, uid: str, target: Target) -> None:
        try:
            events = await self._client.events_about(target.owner.namespace, uid)
        except ApiError as error:
            log.debug("events about a child of %s cannot be listed: %s", target.owner, error)
            events = None
        if self._targets.get(target.owner, {}).get(uid) is not target:
            return
        told = self._cache.told(uid) if events is None else _newest(events)
        news = self._cache.set_told(uid, told)
        target.pause = EVERY if news else min(2 * target.pause, SELDOM)
        target.due = self._clock() + target.pause
        if news:
            self._wake(target.owner)


def _newest(events: list[Mapping[str, Any]]) -> tuple[Told, ...]:
    told = (Told(str(e.get("reason", "")), str(e.get("message", "")), _seen_at(e)) for e in events)
    return tuple(sorted(told, key=lambda t: t.at, reverse=True)[:KEPT])


def _seen_at(event: Mapping[str, Any]) -> str:
    """In whole seconds: some times of events have fractions, others have not."""
    times = (
        (event.get("series") or {}).get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    return str(next(t for t in times if t))[:19]
