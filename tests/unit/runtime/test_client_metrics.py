"""Every request is counted once with what came of it, and every write for the reconcile that made it."""

from typing import Any

import aiohttp
import pytest
from kubernetes.aio.client.exceptions import ApiException

from modelyard.plan.plan import Key
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ApiError
from modelyard.runtime.metrics import NO_ANSWER
from modelyard.runtime.resources import LEASE
from modelyard.runtime.trace import reconciling
from tests.unit.runtime.samples import sample

EVENT = {"metadata": {"namespace": "ns"}}


class Answer:
    status = 201

    async def json(self) -> dict[str, Any]:
        return {}


class Dynamic:
    """Stands in for kubernetes.aio's dynamic client."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure

    async def request(self, *_: Any, **__: Any) -> Answer:
        if self.failure:
            raise self.failure
        return Answer()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (None, "201"),
        (ApiException(status=404, body="{}"), "404"),
        (aiohttp.ServerDisconnectedError(), NO_ANSWER),
        (TimeoutError(), NO_ANSWER),
    ],
)
async def test_a_request_is_counted_by_its_status(failure: Exception | None, code: str) -> None:
    before = sample("rest_client_requests_total", code=code, method="GET")
    try:
        await Client(Dynamic(failure)).get(LEASE, "ns", "name")
    except ApiError:
        assert failure
    assert sample("rest_client_requests_total", code=code, method="GET") - before == 1


async def test_a_write_is_counted_for_its_reconcile_and_a_lease_is_none_of_it() -> None:
    client = Client(Dynamic())
    before = sample("modelyard_api_writes_total", verb="create_event")
    with reconciling(Key("Dataset", "ns", "d")) as trace:
        await client.create_event(EVENT)
        await client.create_lease("/apis/leases", {})
    assert trace.writes == 1
    await client.create_event(EVENT)
    assert trace.writes == 1
    assert sample("modelyard_api_writes_total", verb="create_event") - before == 2
