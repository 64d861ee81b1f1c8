"""Heads that were seen before are found, not read: callers see no difference, however their bytes arrive."""

import asyncio
import re
from itertools import pairwise

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard_serving import heads
from modelyard_serving.heads import Head, Heads
from modelyard_serving.protocol import Protocol
from tests.unit.serving_image import models
from tests.unit.serving_image.models import Endpoint, v2_body

INFER = "/v2/models/demo/infer"
HEAD = b"POST /invocations HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n"
KNOWN = Head(b"/invocations", "/invocations", {"host": "a", "content-length": "2"}, 2)


def request(identity: str, price: float, region: str = "north", more: str = "") -> bytes:
    body = orjson.dumps(v2_body({"price": [price], "region": [region], "hour": [1]}, id=identity))
    return f"POST {INFER} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n{more}\r\n".encode() + body


async def answers(reader: asyncio.StreamReader, count: int) -> list[tuple[int, str]]:
    """Status and id of each."""
    found = []
    for _ in range(count):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length
        body = orjson.loads(await reader.readexactly(int(length[1])))
        found.append((int(head[9:12]), body.get("id", "")))
    return found


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The targets of requests whose heads were read."""
    targets: list[bytes] = []
    own = Protocol.on_headers_complete

    def seen(self: Protocol) -> None:
        targets.append(self.url)
        own(self)

    monkeypatch.setattr(Protocol, "on_headers_complete", seen)
    return targets


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1.5, 12.25, 3e9]), st.sampled_from(["", "x-a: b\r\n"])), min_size=1, max_size=6
    ),
    st.sets(st.integers(1, 1500), max_size=4),
    st.booleans(),
)
async def test_requests_are_answered_in_their_order_however_their_bytes_arrive(
    served: Endpoint, asked: list[tuple[float, str]], cuts: set[int], apart: bool
) -> None:
    """Cut anywhere, and several at once or each when the one before is answered."""
    requests = [request(f"r{place}", price, more=more) for place, (price, more) in enumerate(asked)]
    async with models.listening(served.app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        found: list[tuple[int, str]] = []
        for sent in requests if apart else [b"".join(requests)]:
            places = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
            for begin, end in pairwise(places):
                writer.write(sent[begin:end])
                await asyncio.sleep(0.002)
            found += await answers(reader, 1 if apart else len(requests))
        writer.close()
    assert found == [(200, f"r{place}") for place in range(len(asked))]


@pytest.mark.parametrize("pieces", ["whole", "head and body"])
async def test_a_repeated_head_is_read_once(served: Endpoint, read: list[bytes], pieces: str) -> None:
    async with models.listening(served.app) as port:
        for _ in range(2):  # connections
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for number in range(3):
                sent = request(f"r{number}", 1.5)
                end = sent.find(b"\r\n\r\n") + 4 if pieces != "whole" else len(sent)
                writer.write(sent[:end])
                await asyncio.sleep(0.01)
                writer.write(sent[end:])
                assert await answers(reader, 1) == [(200, f"r{number}")]
            writer.close()
    assert read == [INFER.encode()]


async def test_a_body_in_pieces_behind_a_known_head_is_read_whole(served: Endpoint, read: list[bytes]) -> None:
    async with models.listening(served.app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = request("mine", 1.5)
        end = sent.find(b"\r\n\r\n") + 4
        for cuts in ([], [end, end + 9, end + 20], [end], [end - 3, end + 5]):
            places = [0, *cuts, len(sent)]
            for begin, stop in pairwise(places):
                writer.write(sent[begin:stop])
                await asyncio.sleep(0.01)
            assert await answers(reader, 1) == [(200, "mine")]
        writer.close()
    assert len(read) == 3  # not for the head that came alone, with its body at once


async def test_a_wrong_row_behind_a_known_head_is_refused(served: Endpoint) -> None:
    async with models.listening(served.app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = request("mine", 1.5)
        for given_body, status in ((sent, 200), (sent.replace(b"1.5", b"tru"), 400), (sent, 200)):
            writer.write(given_body)
            assert (await answers(reader, 1))[0][0] == status
        writer.close()
    assert served.serving.in_flight == 0


async def test_a_caller_that_leaves_behind_a_known_head_leaves_nothing(served: Endpoint) -> None:
    async with models.listening(served.app) as port:
        sent = request("mine", 1.5)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        await answers(reader, 1)
        writer.write(sent[: sent.find(b"\r\n\r\n") + 4])
        await asyncio.sleep(0.02)
        writer.close()
        await asyncio.sleep(0.02)
    assert served.serving.in_flight == 0


@pytest.mark.parametrize("data", [HEAD + b"{", HEAD + b"{}x", b"{}", b"", HEAD + HEAD + b"{}"])
def test_what_is_not_one_whole_request_teaches_nothing(data: bytes) -> None:
    known = Heads()
    known.learn(data, KNOWN)
    assert known.find(HEAD)[0] is None


def test_heads_that_never_repeat_fill_no_memory() -> None:
    known = Heads()
    for number in range(3 * heads.MOST):
        own = HEAD.replace(b"host: a", b"host: a%d" % number)
        known.learn(own + b"{}", KNOWN)
        assert known.find(own + b"{}") == (KNOWN, len(own))
        assert len(known._known) <= heads.MOST
