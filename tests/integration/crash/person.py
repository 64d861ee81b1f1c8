"""The user of a scenario: applies, changes and deletes resources, and waits for what lasts."""

import asyncio
from collections.abc import Callable
from typing import Any

from modelyard.plan.labels import KIND, NAME, SELECTOR
from modelyard.runtime.client import LIST_TIMEOUT
from modelyard.runtime.errors import NotFoundError
from modelyard.runtime.resources import CHILDREN, resource_of
from tests.integration.runtime.cluster import User

WITHIN = 120.0  # seconds, on a machine with other things to do
Resource = dict[str, Any]


class Person(User):
    """More patient with a busy API server than the operator is."""

    async def call(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        return await super().call(method, path, within=LIST_TIMEOUT, **params)

    async def get(self, kind: str, name: str) -> Resource | None:
        try:
            return await self.call("get", resource_of(kind).path(self.namespace, name))
        except NotFoundError:
            return None

    async def apply(self, kind: str, name: str, spec: dict[str, Any], **annotations: str) -> None:
        """Server-side apply; an annotation that an earlier call gave and this one does not is removed."""
        marks = {f"modelyard.dev/{key}": value for key, value in annotations.items()}
        body = {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace, "annotations": marks},
            "spec": spec,
        }
        path = resource_of(kind).path(self.namespace, name)
        kind_of_patch = "application/apply-patch+yaml"
        await self.call("patch", path, body=body, content_type=kind_of_patch, field_manager="user")

    async def sees(self, kind: str, name: str, accept: Callable[[Resource], Any]) -> Resource:
        """The resource once its status describes its present spec and is as wanted."""

        def is_so(found: Resource | None) -> bool:
            status = (found or {}).get("status", {})
            current = found is not None and status.get("observedGeneration") == found["metadata"]["generation"]
            return bool(current and accept(status))

        seen: Resource = await self.until(kind, name, is_so, WITHIN)
        return seen

    async def phase(self, kind: str, name: str, phase: str) -> Resource:
        return await self.sees(kind, name, lambda status: status["phase"] == phase)

    async def condition(self, kind: str, name: str, type_: str) -> Resource:
        return await self.sees(kind, name, lambda status: _is_true(status, type_))

    async def paused(self, kind: str, name: str) -> None:
        """Told also of a spec that was not acted on yet."""
        await self.until(kind, name, lambda found: found and _is_true(found.get("status", {}), "Paused"), WITHIN)

    async def gone(self, kind: str, name: str) -> None:
        """With its children."""
        await self.until(kind, name, lambda found: found is None, WITHIN)
        of_it = f"{SELECTOR},{KIND}={kind},{NAME}={name}"
        for child in CHILDREN:
            await self._see_all(child.kind, lambda found: not found, of_it)

    async def all(self, kind: str, selector: str | None = None) -> list[Resource]:
        resource = resource_of(kind)
        answer = await self.call("get", resource.path(self.namespace), label_selector=selector)
        return [{**item, "apiVersion": resource.api_version, "kind": kind} for item in answer["items"]]

    async def children(self) -> list[Resource]:
        """All that the operator has made and that is still there, but pods."""
        kinds = [child.kind for child in CHILDREN if child.kind != "Pod"]
        return [found for kind in kinds for found in await self.all(kind, SELECTOR)]

    async def one_revision_left(self) -> None:
        """The endpoint is drained of what does not serve any more."""
        await self._see_all("Deployment", lambda found: len(found) == 1)

    async def job_made(self) -> None:
        await self._see_all("Job", lambda found: len(found) > 0)

    async def jobs_ended(self) -> None:
        """Every Job has come to its end."""
        await self._see_all("Job", lambda found: all(job.get("status", {}).get("completionTime") for job in found))

    async def _see_all(self, kind: str, accept: Callable[[list[Resource]], bool], selector: str = SELECTOR) -> None:
        async with asyncio.timeout(WITHIN):
            while True:
                if accept(await self.all(kind, selector)):
                    return
                await asyncio.sleep(0.1)


def _is_true(status: Resource, type_: str) -> bool:
    return any(c["type"] == type_ and c["status"] == "True" for c in status.get("conditions", []))
