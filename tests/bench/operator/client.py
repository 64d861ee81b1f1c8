"""The user of every contender: creates many objects at once, and learns by one watch what becomes of them.

It never polls lists: that would be a load of its own, and measure itself.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Iterable
from types import TracebackType
from typing import Any

import aiohttp

from tests.cluster.controlplane import ControlPlane

AT_ONCE = 32
Object = dict[str, Any]


class Client:
    def __init__(self, plane: ControlPlane) -> None:
        made = plane.settings.credentials
        context = ssl.create_default_context(cafile=str(made.ca))
        context.load_cert_chain(made.certificate("admin"), made.key("admin"))
        self._url = plane.url
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=AT_ONCE * 2),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            read_bufsize=1 << 22,  # an event is one line
            trust_env=False,
        )

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await asyncio.sleep(0.1)  # aiohttp closes TLS connections only in later turns of the loop

    async def call(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Object:
        """Raises RuntimeError for a refusal."""
        data = None if body is None else json.dumps(body)
        async with self._session.request(
            method, self._url + path, data=data, headers={"Content-Type": content}
        ) as answer:
            text = await answer.text()
            if answer.status not in (200, 201):
                raise RuntimeError(f"{method} {path}: {answer.status} {text[:1000]}")
        result: Object = json.loads(text)
        return result

    async def version(self, collection: str) -> str:
        """The present resourceVersion: a watch from there tells everything that happens from now on."""
        page = await self.call("GET", f"{collection}?limit=1")
        return str(page["metadata"]["resourceVersion"])

    async def create(self, collection: str, bodies: Iterable[Object]) -> None:
        """All of them, as fast as the API server takes them from AT_ONCE connections."""
        rest = iter(bodies)

        async def some() -> None:
            for body in rest:
                await self.call("POST", collection, body)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(some())

    async def watch(self, collection: str, version: str) -> AsyncGenerator[Object, None]:
        """Every state of every object of the collection after that version, also the last of a deleted one.

        Goes on where it was when the API server ends it, as it does with those who read too slowly.
        """
        while True:
            query = f"watch=true&resourceVersion={version}&timeoutSeconds=3600"
            async with self._session.get(f"{self._url}{collection}?{query}") as answer:
                answer.raise_for_status()
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the watch of {collection} ended: {event['object']}")
                    version = event["object"]["metadata"]["resourceVersion"]
                    yield event["object"]
