"""The few requests the operator makes, over kubernetes.aio's dynamic client, with errors as types.

Every write asks the fence first, so that a replica that lost its lease cannot write any more.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import aiohttp

from modelyard.plan.labels import MANAGER
from modelyard.plan.plan import Object
from modelyard.runtime import login
from modelyard.runtime.errors import UnavailableError, from_answer
from modelyard.runtime.metrics import API_WRITES
from modelyard.runtime.resources import CORE_EVENT, EVENT, Resource, resource_of

PAGE = 500
TIMEOUT = aiohttp.ClientTimeout(total=5, connect=3)  # lease duration (15 s) less renew deadline (10 s): see election
LIST_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=3)


class FencedError(Exception):
    """The write was not made: this replica does not hold the lease."""


class Client:
    def __init__(self, dynamic: Any, may_write: Callable[[], bool] = lambda: True) -> None:
        self._dynamic = dynamic
        self.may_write = may_write

    @classmethod
    async def connect(cls) -> "Client":
        from kubernetes.aio.client import ApiClient
        from kubernetes.aio.dynamic import DynamicClient

        dynamic: Any = DynamicClient  # untyped
        return cls(dynamic(ApiClient(await login.configuration())))

    async def close(self) -> None:
        await self._dynamic.client.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        return await self._request("get", resource.path(namespace, name))

    async def pages(
        self, resource: Resource, namespace: str | None, selector: str | None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The collection in pages of one snapshot. Raises GoneError when the snapshot expires between pages."""
        token = None
        while True:
            page = await self._request(
                "get",
                resource.path(namespace),
                within=LIST_TIMEOUT,
                limit=PAGE,
                label_selector=selector,
                _continue=token,
            )
            yield page
            token = page["metadata"].get("continue")
            if not token:
                return

    async def apply(self, desired: Mapping[str, Any]) -> dict[str, Any]:
        """Server-side apply by our field manager, taking over fields that others changed."""
        path = resource_of(desired["kind"]).path(desired["metadata"]["namespace"], desired["metadata"]["name"])
        return await self._write(
            "apply",
            "patch",
            path,
            body=desired,
            content_type="application/apply-patch+yaml",
            field_manager=MANAGER,
            force_conflicts="true",
        )

    async def delete(self, observed: Object) -> None:
        """Deletes exactly this object: one that has taken its name since raises ConflictError."""
        metadata = observed["metadata"]
        body = {"preconditions": {"uid": metadata["uid"]}, "propagationPolicy": "Background"}
        path = resource_of(observed["kind"]).path(metadata["namespace"], metadata["name"])
        await self._write("delete", "delete", path, body=body)

    async def patch_status(self, resource: Object, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merge patch of the status. Raises ConflictError if the object is not the one the patch was made for."""
        metadata = resource["metadata"]
        return await self._write(
            "patch_status",
            "patch",
            resource_of(resource["kind"]).path(metadata["namespace"], metadata["name"], "status"),
            body={"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": patch},
            content_type="application/merge-patch+json",
            field_manager=MANAGER,
        )

    async def create_event(self, event: Mapping[str, Any]) -> None:
        await self._write("create_event", "post", EVENT.path(event["metadata"]["namespace"]), body=event)

    async def events_about(self, namespace: str, uid: str) -> list[Mapping[str, Any]]:
        """At most 20 events about one object, in no order."""
        selector = f"involvedObject.uid={uid}"
        answer = await self._request("get", CORE_EVENT.path(namespace), limit=20, field_selector=selector)
        events: list[Mapping[str, Any]] = answer["items"]
        return events

    async def create_lease(self, path: str, lease: Mapping[str, Any]) -> dict[str, Any]:
        return await self._request("post", path, body=lease)

    async def replace_lease(self, path: str, lease: Mapping[str, Any]) -> dict[str, Any]:
        return await self._request("put", path, body=lease)

    async def _write(self, verb: str, method: str, path: str, **params: Any) -> dict[str, Any]:
        if not self.may_write():
            raise FencedError(f"{verb} {path}: the lease is not held")
        API_WRITES.labels(verb).inc()
        return await self._request(method, path, **params)

    async def _request(
        self, method: str, path: str, *, within: aiohttp.ClientTimeout = TIMEOUT, **params: Any
    ) -> dict[str, Any]:
        from kubernetes.aio.client.exceptions import ApiException

        # The lists are given anew: the dynamic client appends to its own default one.
        parameters = {name: value for name, value in params.items() if value is not None} | {"query_params": []}
        try:
            answer = await self._dynamic.request(
                method, path, serialize=False, header_params={}, _request_timeout=within, **parameters
            )
            result: dict[str, Any] = await answer.json()
        except ApiException as error:
            raise from_answer(error.status or 0, error.body or "") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(0, type(error).__name__, str(error) or "no answer in time") from None
        return result
