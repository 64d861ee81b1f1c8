"""The short way to an answer and the one through ASGI are the same to callers, to metrics and to what is captured."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, assume, given, settings

from modelyard.contract.progress import Routing
from modelyard_serving import call
from modelyard_serving.direct import DirectCall
from modelyard_serving.protocol import MAX_DIRECT
from tests.unit.serving_image import models
from tests.unit.serving_image.models import ROWS, Endpoint, v2_body
from tests.unit.serving_image.test_broken_bodies import VALID, broken

INFER = "/v2/models/demo/infer"
ONE = {name: values[:1] for name, values in ROWS.items()}
TIGHT = re.compile(rb'"timeout":(?!1000000\b)')
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture
async def connected(served: Endpoint) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        models.listening(served.app) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of requests that went the short way."""
    paths: list[str] = []
    begin = DirectCall.begin

    def seen(own: DirectCall, path: str, headers: Any, body: bytes) -> None:
        paths.append(path)
        begin(own, path, headers, body)

    monkeypatch.setattr(DirectCall, "begin", seen)
    return paths


async def told(client: httpx.AsyncClient, path: str, headers: dict[str, str], content: bytes) -> tuple[Any, ...]:
    """An answer; ids that are made up are the same each time."""
    call._RANDOM.seed(0)
    answer = await client.post(path, content=content, headers=headers)
    kept = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, kept


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(request=broken())
async def test_both_ways_give_the_same_answer(
    served: Endpoint, connected: httpx.AsyncClient, request: tuple[str, bytes]
) -> None:
    """But for one that gives the model less time than it may need."""
    path, content = request
    assume(not TIGHT.search(content))
    plain = await told(served.client, path, JSON, content)
    assert await told(connected, path, JSON, content) == plain


@pytest.mark.parametrize(
    ("path", "headers", "content"),
    [
        *[(path, JSON, orjson.dumps(body)) for path, body in VALID if "feedback" not in path],
        ("/v2/models/demo/versions/r1/infer", JSON, orjson.dumps(v2_body(ONE, id="mine"))),
        ("/v2/models/demo/versions/r2/infer", JSON, orjson.dumps(v2_body(ONE))),
        ("/v2/models/other/infer", JSON, orjson.dumps(v2_body(ONE))),
        ("/endpoints/other/invocations", JSON, b"{}"),
        ("/invocations", {"content-type": "image/png"}, b"1"),
        ("/invocations", {"content-type": "text/csv", "x-amzn-sagemaker-inference-id": "a" * 201}, b"1"),
        (INFER, {"content-type": "application/json", "inference-header-content-length": "9"}, b"{}"),
    ],
)
async def test_both_ways_count_and_capture_the_same(
    served: Endpoint,
    connected: httpx.AsyncClient,
    short: list[str],
    path: str,
    headers: dict[str, str],
    content: bytes,
) -> None:
    async def counted(client: httpx.AsyncClient) -> tuple[Any, ...]:
        metrics, loaded = served.serving.metrics, served.serving.loaded
        assert loaded
        before = dict(metrics._requests), metrics.rows, served.serving.stats().stable.requests
        kept = loaded.captures.written + loaded.captures.buffered
        answer = await told(client, path, headers, content)
        await asyncio.sleep(0.05)
        requests = {
            key: count - before[0].get(key, 0)
            for key, count in metrics._requests.items()
            if count != before[0].get(key, 0)
        }
        more = served.serving.stats().stable.requests - before[2]
        kept = loaded.captures.written + loaded.captures.buffered - kept
        return answer, requests, metrics.rows - before[1], more, kept

    plain = await counted(served.client)
    assert short == []
    assert await counted(connected) == plain
    assert short == [path]
    assert served.serving.in_flight == 0


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({"connection": "close"}, {}),
        ({"transfer-encoding": "chunked"}, {}),
        ({"content-encoding": "identity"}, {}),
        ({}, {"note": "x" * MAX_DIRECT}),
    ],
    ids=["last", "chunks", "encoded", "large"],
)
async def test_what_is_not_plain_takes_the_long_way(
    connected: httpx.AsyncClient, short: list[str], headers: dict[str, str], more: dict[str, str]
) -> None:
    content = orjson.dumps(v2_body(ONE, **more))

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    sent = pieces() if "transfer-encoding" in headers else content
    answer = await connected.post(INFER, content=sent, headers={**JSON, **headers})
    assert answer.status_code == 200
    assert short == []


@pytest.mark.parametrize("share", [{"weight": 1}, {"shadow": 1}])
async def test_a_candidate_with_a_share_takes_the_long_way(
    served: Endpoint, connected: httpx.AsyncClient, short: list[str], share: dict[str, int]
) -> None:
    served.serving.route(Routing(epoch="1", candidate="r2", **share))
    # An id that falls to neither: there is no candidate to ask.
    assert (await connected.post(INFER, json=v2_body(ONE, id="own"))).status_code == 200
    assert short == []


async def test_a_candidate_without_a_share_costs_no_request_the_short_way(
    served: Endpoint, connected: httpx.AsyncClient, short: list[str]
) -> None:
    served.serving.route(Routing(epoch="1", candidate="r2"))
    assert (await connected.post(INFER, json=v2_body(ONE))).status_code == 200
    assert short == [INFER]
    assert served.serving.stats().stable.requests == 1
    served.serving.route(Routing(epoch="2", candidate="r2", weight=1))
    assert (await connected.post(INFER, json=v2_body(ONE, id="own"))).status_code == 200
    assert short == [INFER]


async def test_a_drain_takes_the_long_way(served: Endpoint, connected: httpx.AsyncClient, short: list[str]) -> None:
    served.serving.draining = True
    answer = await connected.post(INFER, json=v2_body(ONE))
    assert answer.headers["connection"] == "close"
    assert short == []


async def test_an_answer_that_cannot_be_written_harms_no_batch_mate(
    served: Endpoint, connected: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [v2_body(ONE, id=f"{number}") for number in range(8)]
    rendered = DirectCall._answer

    def failing(own: DirectCall, found: Any) -> None:
        if own._work.call.inference_id == "3":
            own._work = own._work._replace(call=own._work.call._replace(render=None))  # type: ignore[arg-type]
        rendered(own, found)

    monkeypatch.setattr(DirectCall, "_answer", failing)
    answers = await asyncio.gather(*(connected.post(INFER, json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 500, 200, 200, 200, 200]
    assert served.serving.in_flight == 0


async def test_a_request_that_is_still_sent_is_answered_when_the_server_is_told_to_end(served: Endpoint) -> None:
    """Idle connections are ended then; to the others it is said that this answer is the last."""
    body = orjson.dumps(v2_body(ONE))
    async with models.listening(served.app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body[:-1])
        await asyncio.sleep(0.1)
        asyncio.get_running_loop().call_later(0.5, writer.write, body[-1:])
    content = await asyncio.wait_for(reader.read(), 5)
    assert content.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in content
    writer.close()


async def test_a_connection_without_requests_is_ended(served: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard_serving.lifecycle.KEEP_ALIVE", 1)
    body = orjson.dumps(v2_body(ONE))
    async with models.listening(served.app) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
