"""Every request is counted once with what came of it, and every write for the reconcile that made it."""

from types import SimpleNamespace
from typing import Any, ClassVar

import aiohttp
import pytest

from modelyard.plan.plan import Key
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError
from modelyard.runtime.metrics import NO_ANSWER
from modelyard.runtime.resources import LEASE
from modelyard.runtime.trace import reconciling
from tests.unit.runtime.samples import sample

EVENT = {"metadata": {"namespace": "ns"}}


class Answer:
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, status: int) -> None:
        self.status = status

    async def read(self) -> bytes:
        return b"{}"


class Api:
    """Stands in for kubernetes.aio's ApiClient, its configuration and its REST client."""

    host = "https://api"

    def __init__(self, outcome: int | Exception = 201) -> None:
        self.outcome = outcome
        self.configuration = self.rest_client = self

    async def auth_settings(self) -> dict[str, Any]:
        return {}

    async def request(self, *_: Any, **__: Any) -> SimpleNamespace:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return SimpleNamespace(response=Answer(self.outcome))


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(200, "200"), (404, "404"), (aiohttp.ServerDisconnectedError(), NO_ANSWER), (TimeoutError(), NO_ANSWER)],
)
async def test_a_request_is_counted_by_its_status(outcome: int | Exception, code: str) -> None:
    before = sample("rest_client_requests_total", code=code, method="GET")
    try:
        await Client(Api(outcome)).get(LEASE, "ns", "name")
    except ApiError:
        assert outcome != 200
    assert sample("rest_client_requests_total", code=code, method="GET") - before == 1


async def test_a_write_is_counted_for_its_reconcile_and_a_lease_is_none_of_it() -> None:
    client = Client(Api())
    before = sample("modelyard_api_writes_total", verb="create_event")
    with reconciling(Key("Dataset", "ns", "d")) as trace:
        await client.create_event(EVENT)
        await client.create_lease("/apis/leases", {})
    assert trace.writes == 1
    await client.create_event(EVENT)
    assert trace.writes == 1
    assert sample("modelyard_api_writes_total", verb="create_event") - before == 2
