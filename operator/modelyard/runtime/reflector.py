"""Objects as they change: a watch that goes on where the last one ended, and a list where it cannot.

As client-go's reflector does. Deletions in a gap show in the list that ends it (ADR 15 says why not by kopf).
"""

import asyncio
import logging
import random
import time

from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError, GoneError, UnavailableError
from modelyard.runtime.intake import Intake
from modelyard.runtime.listing import list_into, selector_of
from modelyard.runtime.queue import backoff
from modelyard.runtime.watches import Place, Watches

_LONGEST_PAUSE = 10.0  # seconds
_AT_ONCE = 1.0  # seconds

log = logging.getLogger(__name__)


class Reflector:
    def __init__(self, client: Client, intake: Intake, watches: Watches, place: Place, version: str) -> None:
        """Begins at `version`, the one of a list."""
        self._client = client
        self._intake = intake
        self._watches = watches
        self._place = place
        self._version: str | None = version
        self._failures = 0  # since something was told
        watches.expect(place)

    async def run(self) -> None:
        """Never returns: whatever the API server answers, it is asked again."""
        while True:
            try:
                if self._version is None:
                    self._version = await list_into(self._intake, self._client, *self._place)
                await self._follow(self._version)
                self._failures = 0
                continue
            except GoneError:
                self._version = None
            except ApiError as error:
                log.warning("the watch of %s broke off: %s", self._place[0].plural, error)
            self._failures += 1
            await asyncio.sleep(backoff(self._failures, random.random(), most=_LONGEST_PAUSE))  # noqa: S311 - spreads load

    async def _follow(self, version: str) -> None:
        """Until the API server ends the watch, as it does every few minutes. Raises ApiError."""
        resource, namespace = self._place
        try:
            changes = await self._client.watch(resource, namespace, selector_of(resource), version)
        except ApiError as error:
            self._watches.begun(self._place, error.status)
            raise
        self._watches.begun(self._place, 200)
        begun, told = time.monotonic(), False
        async for kind, found in changes:
            self._failures, told = 0, True
            self._version = found["metadata"]["resourceVersion"]
            if kind == "BOOKMARK":
                continue
            obj = {**found, "apiVersion": resource.api_version, "kind": resource.kind}
            take = self._intake.deleted if kind == "DELETED" else self._intake.present
            take(obj)
        if not told and time.monotonic() - begun < _AT_ONCE:
            raise UnavailableError(0, "Ended", "it was ended at once and told nothing")
