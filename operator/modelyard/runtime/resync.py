"""Lists everything now and then: what watches missed, deletions above all, is noticed, and drift is healed."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing

from modelyard.plan.labels import SELECTOR
from modelyard.plan.plan import Key, key_of
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError, GoneError, NotFoundError
from modelyard.runtime.intake import Intake
from modelyard.runtime.metrics import CACHED
from modelyard.runtime.resources import CHILDREN, OWN, WATCHED, Resource

# Seconds after the start: these cover deletions between the first list, or a first write, and the beginning of the
# watch of that kind, of which kopf does not tell.
FIRST = (5.0, 30.0)
_SETTLING = 5.0  # seconds between the end of a gap and the list that makes up for it: several gaps, one list
_ANEW = 3  # times in a row
_SPREAD = 0.1  # of the period: healing all resources takes so long

log = logging.getLogger(__name__)


class Resync:
    def __init__(
        self,
        client: Client,
        intake: Intake,
        heal: Callable[[Key], None],
        namespaces: Sequence[str],
        period: float,
    ) -> None:
        self._client = client
        self._intake = intake
        self._heal = heal
        self._namespaces: Sequence[str | None] = list(namespaces) or [None]
        self._period = period
        self._asked = asyncio.Event()

    def soon(self) -> None:
        """List out of turn: watches have had a gap."""
        self._asked.set()

    async def wait_for_crds(self) -> None:
        """Returns when the API server knows our kinds: a chart may start the operator before they are established."""
        for resource in OWN:
            while True:
                try:
                    async with aclosing(self._client.pages(resource, self._namespaces[0], None)) as pages:
                        await anext(pages)
                    break
                except NotFoundError:
                    log.warning("the API server does not know %s yet: install the CRDs", resource.plural)
                except ApiError as error:
                    log.warning("cannot list %s: %s", resource.plural, error)
                await asyncio.sleep(2)

    async def run(self) -> None:
        """Lists, heals and repeats until cancelled; a failure is logged and made up for soon."""
        begun = asyncio.get_running_loop().time()
        for after in FIRST:
            await asyncio.sleep(begun + min(after, self._period) - asyncio.get_running_loop().time())
            await self._attempt()
        due = self._next()
        while True:
            if await self._asked_before(due):
                await asyncio.sleep(min(_SETTLING, self._period))
            if await self._attempt() and asyncio.get_running_loop().time() >= due:
                self._heal_all()
                due = self._next()

    def _next(self) -> float:
        spread = 0.95 + random.random() / 10  # noqa: S311 - spreads replicas
        return asyncio.get_running_loop().time() + self._period * spread

    async def _asked_before(self, due: float) -> bool:
        try:
            async with asyncio.timeout_at(due):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

    async def until_synced(self) -> None:
        while True:
            if await self._attempt():
                return
            await asyncio.sleep(2)

    async def _attempt(self) -> bool:
        self._asked.clear()  # a gap before this list is covered by it
        try:
            await self.once()
        except ApiError as error:
            log.warning("resync failed, watches go on: %s", error)
            self._asked.set()
            return False
        return True

    async def once(self) -> None:
        """Brings the cache in line with the API server. Raises ApiError."""
        for resource in WATCHED:
            for namespace in self._namespaces:
                await self._list_whole(resource, namespace)
        for kind, size in self._intake.cache.sizes().items():
            CACHED.labels(kind).set(size)

    async def _list_whole(self, resource: Resource, namespace: str | None) -> None:
        """A snapshot that expires between two pages is begun anew, a few times."""
        for _ in range(_ANEW):
            try:
                return await self._list(resource, namespace)
            except GoneError as error:
                log.info("the list of %s begins anew: %s", resource.plural, error)
        return await self._list(resource, namespace)

    async def _list(self, resource: Resource, namespace: str | None) -> None:
        listed: set[Key] = set()
        version = 0
        selector = SELECTOR if resource in CHILDREN else None
        async for page in self._client.pages(resource, namespace, selector):
            version = int(page["metadata"]["resourceVersion"])
            for item in page["items"]:
                obj = {**item, "apiVersion": resource.api_version, "kind": resource.kind}
                listed.add(key_of(obj))
                self._intake.present(obj)
        ghosts = self._intake.cache.drop_ghosts(resource.kind, namespace, listed, version)
        if ghosts:
            log.info("noticed %d deletions of %s that no watch had told", len(ghosts), resource.plural)
        self._intake.absent(ghosts)

    def _heal_all(self) -> None:
        for resource in OWN:
            for key in self._intake.cache.keys(resource.kind):
                self._heal(key)
                self._intake.queue.add_after(key, random.random() * _SPREAD * self._period)  # noqa: S311 - spreads load
