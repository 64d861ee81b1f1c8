"""The operator's client on the server in memory: requests fail, are carried out all the same, or are the last."""

from collections.abc import AsyncGenerator, Callable, Mapping
from random import Random
from typing import Any, TypeVar

from modelyard.plan.labels import JOB_UID
from modelyard.plan.plan import Key, Object, key_of
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ConflictError, ForbiddenError, NotFoundError, UnavailableError
from modelyard.runtime.resources import Resource
from tests.simulated.server import Server

T = TypeVar("T")


class DiedError(BaseException):
    """The process was killed at this request."""


class FaultyClient(Client):
    """`meanwhile` is called before and after each request: other things happen while it is on its way."""

    def __init__(self, server: Server, random: Random, meanwhile: Callable[[], None]) -> None:
        super().__init__(None)
        self._server = server
        self._random = random
        self._meanwhile = meanwhile
        self.faulty = True

    async def named(self, resource: Resource, namespace: str, name: str) -> tuple[dict[str, Any] | None, int]:
        key = Key(resource.kind, namespace, name)
        found, at = self._carried(lambda: (self._server.objects.get(key), self._server.version))
        return (dict(found) if found else None), at

    async def pages(
        self, resource: Resource, namespace: str | None, selector: str | None
    ) -> AsyncGenerator[dict[str, Any], None]:
        yield {"metadata": {"resourceVersion": str(self._server.version)}, "items": self._server.of(resource.kind)}

    async def apply(self, desired: Mapping[str, Any], *, force: bool = True) -> dict[str, Any]:
        return dict(self._carried(lambda: self._server.apply(desired), writes=True))

    async def delete(self, observed: Object) -> None:
        self._carried(lambda: self._server.delete(key_of(observed), observed["metadata"]["uid"]), writes=True)

    async def patch_status(self, resource: Object, patch: Mapping[str, Any]) -> dict[str, Any]:
        key, version = key_of(resource), resource["metadata"]["resourceVersion"]
        return dict(self._carried(lambda: self._server.patch_status(key, patch, version), writes=True))

    async def create_event(self, event: Mapping[str, Any]) -> None: ...

    async def pods_of_job(self, namespace: str, uid: str) -> list[dict[str, Any]]:
        pods = self._carried(lambda: self._server.of("Pod"))
        return [dict(pod) for pod in pods if pod["metadata"]["labels"].get(JOB_UID) == uid]

    def _carried(self, request: Callable[[], T], *, writes: bool = False) -> T:
        """One request in four fails, half of those after it was carried out; one in 200 is the process's last."""
        self._meanwhile()
        fault = self._random.random() if self.faulty else 1.0
        if fault < 0.125:
            self._refuse(fault, writes)
        answer = request()
        self._meanwhile()
        if fault < 0.25:
            self._refuse(fault - 0.125, writes)
        return answer

    def _refuse(self, fault: float, writes: bool) -> None:
        """`fault` in [0, 0.125) says how."""
        if fault < 0.0025:
            raise DiedError
        if fault < 0.04 and writes:
            raise ConflictError(409, "Conflict", "injected")
        if fault < 0.04:
            raise NotFoundError(404, "NotFound", "injected")
        if fault < 0.06:
            raise ForbiddenError(403, "Forbidden", "is forbidden: injected")
        raise UnavailableError(500, "InternalError", "injected")
