"""The few requests the operator makes, over kubernetes.aio's REST client, with errors as types.

Every write asks the fence first, and again when it is sent: a replica that lost its lease cannot write any more.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
from aiolimiter import AsyncLimiter

from modelyard.plan.labels import JOB_UID, MANAGER
from modelyard.plan.plan import Object
from modelyard.runtime import login, trace
from modelyard.runtime.errors import UnavailableError, from_answer
from modelyard.runtime.fence import FencedError, fenced, watched
from modelyard.runtime.metrics import API_WRITES, answered
from modelyard.runtime.resources import CORE_EVENT, EVENT, POD, Resource, resource_of

PAGE = 500
TIMEOUT = aiohttp.ClientTimeout(total=5, connect=3)  # lease duration (15 s) less renew deadline (10 s): see election
WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=3, sock_read=75)  # bookmarks come every minute
LIST_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=3)
_QUERY = {
    "allow_bookmarks": "allowWatchBookmarks",
    "continue_": "continue",
    "field_manager": "fieldManager",
    "field_selector": "fieldSelector",
    "force_conflicts": "force",
    "label_selector": "labelSelector",
    "resource_version": "resourceVersion",
    "timeout_seconds": "timeoutSeconds",
}

WRITES_PER_SECOND = 300.0
_GOODBYE = 0.1  # seconds


def pace(writes_per_second: float) -> AsyncLimiter:
    """A token bucket that holds two seconds' worth."""
    return AsyncLimiter(max(1.0, 2 * writes_per_second), 2)


class Client:
    """`may_write` is the fence and `pace` the limit of all writes but those of leases, which must be in time."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self.may_write: Callable[[], bool] = lambda: True
        self.pace = pace(WRITES_PER_SECOND)

    @classmethod
    async def connect(cls) -> "Client":
        from kubernetes.aio.client import ApiClient

        configuration = await login.configuration()
        client = cls(ApiClient(configuration))
        configuration.trace_configs = [watched(lambda: client.may_write())]  # the session is made by the first request
        return client

    async def close(self) -> None:
        await self._api.close()
        # https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown: TLS says goodbye
        await asyncio.sleep(_GOODBYE)

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
                continue_=token,
            )
            yield page
            token = page["metadata"].get("continue")
            if not token:
                return

    async def watch(
        self, resource: Resource, namespace: str | None, selector: str | None, version: str
    ) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        """Types of changes (ADDED, MODIFIED, DELETED, BOOKMARK) and objects, until the API server ends it.

        Raises GoneError when the version is too old, UnavailableError when not even bookmarks come any more.
        """
        answer = await self._send(
            "get",
            resource.path(namespace),
            within=WATCH_TIMEOUT,
            watch="true",
            allow_bookmarks="true",
            label_selector=selector,
            resource_version=version,
            timeout_seconds=random.randint(240, 480),  # noqa: S311 - spreads reconnects
        )
        return _changes(answer)

    async def named(self, resource: Resource, namespace: str, name: str) -> tuple[dict[str, Any] | None, int]:
        """The object of that name, labelled as ours or not, and the version at which that is so. By a list, so that no
        further right is needed."""
        page = await self._request("get", resource.path(namespace), field_selector=f"metadata.name={name}")
        found: list[dict[str, Any]] = page["items"]
        return (found[0] if found else None), int(page["metadata"]["resourceVersion"])

    async def apply(self, desired: Mapping[str, Any], *, force: bool = True) -> dict[str, Any]:
        """Server-side apply by our field manager; `force` takes over fields that others set to something else.

        Without it they raise ConflictError.
        """
        path = resource_of(desired["kind"]).path(desired["metadata"]["namespace"], desired["metadata"]["name"])
        return await self._write(
            "apply",
            "patch",
            path,
            body=desired,
            content_type="application/apply-patch+yaml",
            field_manager=MANAGER,
            force_conflicts="true" if force else "false",
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

    async def pods_of_job(self, namespace: str, uid: str) -> list[dict[str, Any]]:
        """All of them: attempts of ours have one."""
        answer = await self._request("get", POD.path(namespace), label_selector=f"{JOB_UID}={uid}")
        return [{**pod, "apiVersion": POD.api_version, "kind": POD.kind} for pod in answer["items"]]

    async def create_lease(self, path: str, lease: Mapping[str, Any]) -> dict[str, Any]:
        return await self._request("post", path, body=lease)

    async def replace_lease(self, path: str, lease: Mapping[str, Any]) -> dict[str, Any]:
        return await self._request("put", path, body=lease)

    async def _write(self, verb: str, method: str, path: str, **params: Any) -> dict[str, Any]:
        await self.pace.acquire()
        if not self.may_write():
            raise FencedError(f"{verb} {path}: the lease is not held")
        API_WRITES.labels(verb).inc()
        trace.wrote()
        with fenced():
            try:
                return await self._request(method, path, **params)
            except UnavailableError:
                if not self.may_write():
                    raise FencedError(f"{verb} {path}: the lease was lost on the way") from None
                raise

    async def _request(
        self, method: str, path: str, *, within: aiohttp.ClientTimeout = TIMEOUT, **params: Any
    ) -> dict[str, Any]:
        answer = await self._send(method, path, within=within, **params)
        try:
            result: dict[str, Any] = orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _no_answer(error) from None
        return result

    async def _send(
        self,
        method: str,
        path: str,
        *,
        within: aiohttp.ClientTimeout,
        body: Any = None,
        content_type: str = "application/json",
        **query: Any,
    ) -> aiohttp.ClientResponse:
        """The answer, of which only the head has been read; parameters that are None are left out. Raises ApiError."""
        configuration = self._api.configuration
        headers = {"Accept": "application/json", "Content-Type": content_type}
        headers |= {auth["key"]: auth["value"] for auth in (await configuration.auth_settings()).values()}
        asked = urlencode({_QUERY.get(name, name): value for name, value in query.items() if value is not None})
        url = f"{configuration.host}{path}?{asked}" if asked else f"{configuration.host}{path}"
        try:
            told = await self._api.rest_client.request(method, url, headers, body, _request_timeout=within)
            answer: aiohttp.ClientResponse = told.response
            answered(method, answer.status)
            if answer.status >= 300:
                said = (await answer.read()).decode(errors="replace")  # a proxy's page may be in any encoding
                raise from_answer(answer.status, said, answer.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            answered(method, 0)
            raise _no_answer(error) from None
        return answer


def _no_answer(error: Exception) -> UnavailableError:
    """No connection, none in time, or one that broke off: what was sent may have arrived."""
    return UnavailableError(0, type(error).__name__, str(error) or "no answer in time")


async def _changes(answer: aiohttp.ClientResponse) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """The lines of a watch."""
    try:
        async for line in answer.content:
            change = orjson.loads(line)
            if change["type"] == "ERROR":
                raise from_answer(change["object"].get("code", 500), json.dumps(change["object"]))
            yield change["type"], change["object"]
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise _no_answer(error) from None
    finally:
        if answer.connection and answer.connection.transport:
            answer.connection.transport.abort()  # nobody waits for the rest: a goodbye could outlive the process
        answer.close()
