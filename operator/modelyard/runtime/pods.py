"""Asks pods on their management port what planners want to know, and tells servers how to split their traffic.

Silent about failures: a pod that does not answer keeps its last reading for two minutes.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from modelyard.contract.document import Document
from modelyard.contract.progress import Progress, Routing, ServingStats
from modelyard.plan.labels import ROLE
from modelyard.plan.plan import Key
from modelyard.runtime.cache import Cache
from modelyard.runtime.metrics import POD_READINGS

PORT = 8081
KEPT_SECONDS = 120.0
_TIMEOUT = aiohttp.ClientTimeout(total=2)
_ANSWER_LIMIT = 64 * 1024  # bytes
_AT_ONCE = 32
_TICK = 0.5  # seconds

log = logging.getLogger(__name__)


@dataclass
class Target:
    owner: Key
    due: float
    read: float  # when the pod last answered, or was first to be asked
    routing: Routing | None = None


class Pods:
    def __init__(
        self,
        cache: Cache,
        wake: Callable[[Key], None],
        poll_seconds: float,
        port: int = PORT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache = cache
        self._wake = wake
        self._every = poll_seconds
        self._port = port
        self._clock = clock
        self._targets: dict[Key, dict[str, Target]] = {}  # by owner and pod
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def ask(self, key: Key, pods: tuple[str, ...], routing: Mapping[str, Routing]) -> None:
        """From now on ask exactly these pods for this resource; one with a new routing is told at once."""
        now = self._clock()
        before = self._targets.pop(key, {})
        targets = {pod: before.get(pod) or Target(key, now, now) for pod in (*pods, *routing)}
        for pod, target in targets.items():
            told = routing.get(pod)
            if told != target.routing:
                target.routing, target.due = told, now
        if targets:
            self._targets[key] = targets

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as session:
            while True:
                await self.round(session)
                await asyncio.sleep(_TICK)

    async def round(self, session: aiohttp.ClientSession) -> None:
        """Asks every pod whose turn it is."""
        now = self._clock()
        due = [(pod, t) for targets in self._targets.values() for pod, t in targets.items() if t.due <= now]
        await asyncio.gather(*(self._turn(session, pod, target) for pod, target in due))

    async def _turn(self, session: aiohttp.ClientSession, pod: str, target: Target) -> None:
        target.due = self._clock() + self._every
        url, role = self._address(target.owner.namespace, pod)
        reading = None
        if url:
            async with self._slots:
                reading = await self._exchange(session, url, role, target.routing)
            POD_READINGS.labels("ok" if reading else "failed").inc()
        if reading is not None:
            target.read = self._clock()
        elif self._clock() - target.read < KEPT_SECONDS:
            return
        wanted = self._targets.get(target.owner, {}).get(pod) is target
        if wanted and self._cache.set_reading(target.owner.namespace, pod, reading):
            self._wake(target.owner)

    def _address(self, namespace: str, name: str) -> tuple[str | None, str]:
        """The URL of a running pod's management port, and the pod's role."""
        pod = self._cache.get(Key("Pod", namespace, name))
        state = pod.get("status", {}) if pod else {}
        address = state.get("podIP")
        if not pod or not address or state.get("phase") != "Running":
            return None, ""
        host = f"[{address}]" if ":" in address else address
        return f"http://{host}:{self._port}", pod["metadata"].get("labels", {}).get(ROLE, "")

    async def _exchange(
        self, session: aiohttp.ClientSession, url: str, role: str, routing: Routing | None
    ) -> Mapping[str, Any] | None:
        """What the pod tells; a server that is in another epoch than it should be is told the routing."""
        kind: type[Document] = ServingStats if role == "server" else Progress
        try:
            async with session.get(
                url + ("/stats" if role == "server" else "/progress"), allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    return None
                reading = kind.model_validate_json(await _bounded(answer))
            if routing and isinstance(reading, ServingStats) and reading.epoch != routing.epoch:
                async with session.put(url + "/routing", json=routing.wire(), allow_redirects=False) as told:
                    told.raise_for_status()
        except Exception as error:  # a pod runs others' code and may answer anything
            # only what kind of error: its words repeat the answer
            log.debug("%s does not answer: %s", url, type(error).__name__)
            return None
        return _finite(reading).wire()


def _finite(reading: Document) -> Document:
    """Without metrics that are no number: they have no JSON, and differ from themselves."""
    if not isinstance(reading, Progress):
        return reading
    metrics = {name: value for name, value in reading.metrics.items() if math.isfinite(value)}
    return reading.model_copy(update={"metrics": metrics})


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """The body. Raises ValueError if it is longer than the limit."""
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _ANSWER_LIMIT:
            raise ValueError(f"the answer is longer than {_ANSWER_LIMIT} bytes")
    return bytes(body)
