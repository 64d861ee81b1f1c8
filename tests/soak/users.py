"""The users of the soak: they make, change and delete objects on the API server itself, and look at what is there."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

from modelyard.plan.labels import SELECTOR
from modelyard.runtime.resources import CHILDREN, OWN, Resource, resource_of
from tests.cluster.mock_kubelet.connection import Connection
from tests.soak.creations import Creations
from tests.soak.state import checks, outdated, settled
from tests.soak.wishes import KINDS, Place, Wishes, document

_APPLY = "application/apply-patch+yaml"
PATIENCE = 420.0  # seconds for all objects to come to rest: what drains may take five minutes


class UnsettledError(Exception):
    """The objects did not come to rest in time; the message says which and why."""


class Users:
    def __init__(self, connection: Connection, namespace: str, wishes: Wishes) -> None:
        self._connection = connection
        self._namespace = namespace
        self.wishes = wishes
        self.acts = 0

    async def begin(self) -> None:
        for place in self.wishes.first():
            await self._apply(place)

    async def act(self) -> None:
        act, place = self.wishes.next()
        await (self._apply(place) if act == "apply" else self._delete(place))

    async def finish(self) -> None:
        """The last spec of every kind, each once what it builds on is there: so is known on what it was built."""
        for kind in KINDS:
            kept, gone = self.wishes.last(kind)
            for place in gone:
                await self._delete(place)
            if kind == "DriftMonitor":
                await self._checks_end()
            for place in kept:
                await self._apply(place)
            await self.rest(kept)
        await self._ask_again()

    async def _ask_again(self) -> None:
        """A leader that had not heard of the last model yet has had the one before checked, and nothing more is due."""
        end = time.monotonic() + PATIENCE
        while (late := outdated(await self.objects())) and time.monotonic() < end:
            for run in (f"at {time.monotonic()}", "last"):
                await self._checks_end()
                for place in late:
                    self.wishes.present[place].run = run
                    await self._apply(place)
                await self.rest(late)
            await self._checks_end()

    async def _checks_end(self) -> None:
        """Of two checks that end in the same second it is not said which counts."""
        end = time.monotonic() + PATIENCE
        while checks(await self.children()) and time.monotonic() < end:  # noqa: ASYNC110 - it offers no event
            await asyncio.sleep(1)
        await asyncio.sleep(3)  # the operator hears of it

    async def rest(self, places: Iterable[Place]) -> None:
        """Returns when these objects are at rest. Raises UnsettledError."""
        wanted, end = list(places), time.monotonic() + PATIENCE
        while restless := settled(await self.objects(), wanted):
            if time.monotonic() > end:
                raise UnsettledError(f"{len(restless)} objects do not come to rest:\n" + "\n".join(restless[:20]))
            await asyncio.sleep(2)

    async def objects(self) -> list[dict[str, Any]]:
        return [obj async for obj in self._all(OWN, "")]

    async def children(self) -> list[dict[str, Any]]:
        return [obj async for obj in self._all(CHILDREN, SELECTOR)]

    async def watch(self, resource: Resource, creations: Creations) -> None:
        """Never ends."""
        selector = {"labelSelector": SELECTOR} if resource in CHILDREN else {}
        async for _, obj in self._connection.watch(resource.path(self._namespace), **selector):
            creations.tell({**obj, "kind": resource.kind})

    async def _all(self, resources: Iterable[Resource], selector: str) -> AsyncIterator[dict[str, Any]]:
        query = {"labelSelector": selector} if selector else {}
        for resource in resources:
            _, found = await self._connection.call("GET", resource.path(self._namespace), **query)
            for item in found["items"]:
                yield {**item, "kind": resource.kind}

    async def _apply(self, place: Place) -> None:
        self.acts += 1
        path = resource_of(place.kind).path(self._namespace, place.name)
        body = document(self._namespace, place, self.wishes.present[place])
        await self._connection.call("PATCH", path, body, _APPLY, fieldManager="user", force="true")

    async def _delete(self, place: Place) -> None:
        self.acts += 1
        await self._connection.call("DELETE", resource_of(place.kind).path(self._namespace, place.name))
