"""Lists everything now and then: what watches missed, deletions above all, is noticed, and drift is healed."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing

from modelyard.plan.plan import Key
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError, NotFoundError
from modelyard.runtime.intake import Intake
from modelyard.runtime.listing import list_into
from modelyard.runtime.metrics import RESYNCED
from modelyard.runtime.resources import OWN, WATCHED, Resource

# Seconds after the start, of our own kinds: these cover deletions between the first list, or a first write, and the
# beginning of the watch of that kind, of which kopf does not tell.
FIRST = (5.0, 30.0)
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
        self.versions: dict[tuple[Resource, str | None], str] = {}  # of the last lists

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
        """Lists, heals and repeats until cancelled; failures are logged and made up for by the next round."""
        begun = asyncio.get_running_loop().time()
        for after in FIRST:
            await asyncio.sleep(begun + min(after, self._period) - asyncio.get_running_loop().time())
            await self._attempt(OWN)
        while True:
            await asyncio.sleep(self._period * (0.95 + random.random() / 10))  # noqa: S311 - spreads replicas
            if await self._attempt(WATCHED):
                self._heal_all()

    async def until_synced(self) -> None:
        while True:
            if await self._attempt(WATCHED):
                return
            await asyncio.sleep(2)

    async def _attempt(self, resources: Sequence[Resource]) -> bool:
        try:
            await self.once(resources)
        except ApiError as error:
            log.warning("resync failed, watches go on: %s", error)
            return False
        return True

    async def once(self, resources: Sequence[Resource]) -> None:
        """Brings the cache in line with the API server. Raises ApiError."""
        for resource in resources:
            for namespace in self._namespaces:
                self.versions[resource, namespace] = await list_into(self._intake, self._client, resource, namespace)
        RESYNCED.set_to_current_time()

    def _heal_all(self) -> None:
        for resource in OWN:
            for key in self._intake.cache.keys(resource.kind):
                self._heal(key)
                self._intake.queue.add_after(key, random.random() * _SPREAD * self._period)  # noqa: S311 - spreads load
