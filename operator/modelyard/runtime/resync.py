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

_SOON = 5.0  # seconds after which a list that failed is tried again
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
        """Lists, heals and repeats until cancelled."""
        while True:
            await asyncio.sleep(self._period * (0.95 + random.random() / 10))  # noqa: S311 - spreads replicas
            await self.until_synced()
            self._heal_all()

    async def until_synced(self) -> None:
        """Returns after a list that did not fail."""
        while True:
            try:
                await self.once()
            except ApiError as error:
                log.warning("resync failed, watches go on: %s", error)
                await asyncio.sleep(min(_SOON, self._period))
            else:
                return

    async def once(self) -> None:
        """Brings the cache in line with the API server. Raises ApiError."""
        for resource in WATCHED:
            for namespace in self._namespaces:
                self.versions[resource, namespace] = await list_into(self._intake, self._client, resource, namespace)
        RESYNCED.set_to_current_time()

    def _heal_all(self) -> None:
        for resource in OWN:
            for key in self._intake.cache.keys(resource.kind):
                self._heal(key)
                self._intake.queue.add_after(key, random.random() * _SPREAD * self._period)  # noqa: S311 - spreads load
