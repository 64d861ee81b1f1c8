"""A user of the cluster, and the operator in this process, for tests that say what they want in a line each."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from modelyard.runtime.app import Operator
from modelyard.runtime.client import Client
from modelyard.runtime.config import Config, Runtime, parse
from modelyard.runtime.errors import NotFoundError, UnavailableError
from modelyard.runtime.metrics import API_WRITES
from modelyard.runtime.resources import Resource, resource_of
from tests.integration.runtime.planners import PLANNERS


class User:
    def __init__(self, client: Client, namespace: str) -> None:
        self.client = client
        self.namespace = namespace

    async def call(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        return await self.client._request(method, path, **params)

    async def served(self, resource: Resource) -> None:
        """Returns when the API server serves a kind whose definition it has just got."""
        while True:
            try:
                await self.call("get", resource.path(None))
            except (NotFoundError, UnavailableError):  # its storage is being made
                await asyncio.sleep(0.1)
            else:
                return

    async def dataset(self, name: str, words: str, **metadata: Any) -> dict[str, Any]:
        """Server-side apply of a Dataset whose SQL is `words`."""
        body = {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "Dataset",
            "metadata": {"name": name, "namespace": self.namespace, **metadata},
            "spec": {"transform": {"sql": words}},
        }
        path = resource_of("Dataset").path(self.namespace, name)
        return await self.call(
            "patch", path, body=body, content_type="application/apply-patch+yaml", field_manager="user"
        )

    async def get(self, kind: str, name: str) -> dict[str, Any] | None:
        try:
            return await self.client.get(resource_of(kind), self.namespace, name)
        except NotFoundError:
            return None

    async def merge(self, kind: str, name: str, body: Any) -> dict[str, Any]:
        path = resource_of(kind).path(self.namespace, name)
        return await self.call("patch", path, body=body, content_type="application/merge-patch+json")

    async def delete(self, kind: str, name: str) -> None:
        await self.call("delete", resource_of(kind).path(self.namespace, name))

    async def ready(self, name: str, generation: int = 1, within: float = 10) -> dict[str, Any]:
        """The Dataset once its status describes this generation and says Ready."""

        def is_ready(found: Any) -> bool:
            status = (found or {}).get("status", {})
            conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
            return conditions.get("Ready") == "True" and status.get("observedGeneration") == generation

        found: dict[str, Any] = await self.until("Dataset", name, is_ready, within)
        return found

    async def until(self, kind: str, name: str, accept: Callable[[Any], Any], within: float = 10) -> Any:
        end = time.monotonic() + within
        while True:
            found = await self.get(kind, name)
            if accept(found):
                return found
            shown = {**found, "metadata": {**found["metadata"], "managedFields": "..."}} if found else found
            assert time.monotonic() < end, f"{kind} {name} is still {shown}"
            await asyncio.sleep(0.05)


def owners_of(child: Mapping[str, Any] | None) -> list[str]:
    """Their uids."""
    return [owner["uid"] for owner in child["metadata"].get("ownerReferences", [])] if child else []


def writes() -> float:
    """How many writes this process has sent."""
    samples = [sample for metric in API_WRITES.collect() for sample in metric.samples]
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


async def operator_for(user: User, client: Client, **runtime: Any) -> Operator:
    """The operator with the test planners on the user's namespace, without election."""
    settings = Runtime(namespaces=(user.namespace,), workers=4, **runtime)
    return Operator(client, Config(parse({}, "test").settings, settings), PLANNERS, elect=False)


@asynccontextmanager
async def operating(user: User, kind: type[Client] = Client, **runtime: Any) -> AsyncIterator[Operator]:
    """The operator runs while the context lasts. Raises what ended it before."""
    client = await kind.connect()
    operator = await operator_for(user, client, **runtime)
    task = asyncio.create_task(operator.run())
    try:
        yield operator
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await operator.close()
        await client.close()


async def run_to_its_end(user: User, kind: type[Client]) -> None:
    """Runs the operator and raises what ended it."""
    client = await kind.connect()
    operator = await operator_for(user, client)
    try:
        await asyncio.wait_for(operator.run(), 10)
    finally:
        await operator.close()
        await client.close()


async def quiet(seconds: float = 0.7) -> float:
    """Waits until no write has been sent for so long; how many there have been in all."""
    before = writes()
    while True:
        await asyncio.sleep(seconds)
        if writes() == before:
            return before
        before = writes()
