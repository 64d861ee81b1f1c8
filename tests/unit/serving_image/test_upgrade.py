"""Requests that offer another protocol, as Java's HttpClient offers h2c with each: only the offer is ignored."""

import asyncio
from itertools import pairwise

import orjson
import pytest

from tests.unit.serving_image import models
from tests.unit.serving_image.models import ROWS, Endpoint, v2_body
from tests.unit.serving_image.test_protocol import answer

BODY = orjson.dumps(v2_body({name: values[:1] for name, values in ROWS.items()}))
OFFER = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
START = b"POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\n"
HIDDEN = b"GET /v2/health/live HTTP/1.1\r\nhost: y\r\n\r\n"
OK, BAD = b"HTTP/1.1 200 OK", b"HTTP/1.1 400 Bad Request"


def whole(body: bytes, chunked: bool = False, offer: bytes = OFFER) -> bytes:
    if chunked:
        return b"%btransfer-encoding: chunked\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (START, offer, len(body), body)
    return b"%bcontent-length: %d\r\n%b\r\n%b" % (START, len(body), offer, body)


async def asked(served: Endpoint, sent: bytes, cuts: list[int], expected: int) -> list[bytes]:
    """The status lines of the answers to `sent`, which comes in pieces; there are no more than `expected`."""
    async with models.listening(served.app) as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for begin, end in pairwise([0, *cuts, len(sent)]):
            writer.write(sent[begin:end])
            await asyncio.sleep(0.02)
        found = [await answer(reader) for _ in range(expected)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                found.append(await answer(reader))
        writer.close()
    return found


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("pieces", ["one", "head and body", "many"])
async def test_the_request_is_answered_as_it_is(served: Endpoint, pieces: str, chunked: bool) -> None:
    request = whole(BODY, chunked)
    end = request.index(b"\r\n\r\n") + 4
    cuts = {"one": [], "head and body": [end], "many": [9, end - 30, end - 2, end + 1, end + 40]}[pieces]
    cuts = [cut + at * len(request) for at in range(3) for cut in cuts]
    assert await asked(served, request * 3, cuts, 3) == [OK] * 3


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("apart", [False, True])
async def test_a_body_is_never_read_as_the_next_request(served: Endpoint, chunked: bool, apart: bool) -> None:
    request = whole(HIDDEN, chunked)
    cuts = [request.index(b"\r\n\r\n") + 4] if apart else []
    assert await asked(served, request + whole(BODY), cuts, 2) == [BAD, OK]


async def test_each_of_many_pipelined_requests_is_answered_once(served: Endpoint) -> None:
    mixed = whole(BODY) + HIDDEN + whole(HIDDEN, chunked=True) + whole(BODY, offer=b"")
    expected = [OK, OK, BAD, OK] * 5
    assert await asked(served, mixed * 5, [], len(expected)) == expected


@pytest.mark.parametrize("offer", [b"h2c", b"websocket", b"TLS/1.0, h2c\r\nupgrade: x"])
async def test_any_offer_is_ignored_without_a_body_too(served: Endpoint, offer: bytes) -> None:
    probe = HIDDEN[:-2] + b"connection: upgrade\r\nupgrade: " + offer + b"\r\n\r\n"
    assert await asked(served, probe * 2, [], 2) == [OK] * 2
