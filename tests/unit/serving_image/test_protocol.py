"""Answers on a real connection: in one packet, and none is kept back."""

import asyncio

import orjson
import pytest

from modelyard_serving.protocol import MAX_HEAD, JoinedTransport, Protocol
from tests.unit.serving_image import models
from tests.unit.serving_image.models import ROWS, Endpoint, v2_body

BODY = orjson.dumps(v2_body({name: values[:1] for name, values in ROWS.items()}))
INFER = f"POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BODY)}\r\n".encode()


class Written:
    """A transport that remembers each write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([b"HTTP/1.1 200 OK\r\n\r\n", b"body"], [b"HTTP/1.1 200 OK\r\n\r\nbody"]),
        ([b"HTTP/1.1 200 OK\r\n\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n"], [b"HTTP/1.1 200 OK\r\n\r\n5\r\nhello\r\n"]),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"], [b"HTTP/1.1 100 Continue\r\n\r\n"]),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], []),
    ],
    ids=["body", "chunks", "interim", "head"],
)
def test_a_head_waits_for_its_body(given: list[bytes], expected: list[bytes]) -> None:
    written = Written()
    transport = JoinedTransport(written)
    for data in given:
        transport.write(data)
    assert written.writes == expected
    transport.close()
    assert b"".join(written.writes) == b"".join(given)
    assert written.closed


async def test_an_answer_comes_at_once_also_to_head_and_to_a_caller_that_waits_to_send(served: Endpoint) -> None:
    async with models.listening(served.app) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(INFER + b"expect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(BODY)
        assert await answer(reader) == b"HTTP/1.1 200 OK"
        writer.write(b"HEAD /v2/models/demo HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 405")
        writer.write((INFER + b"\r\n" + BODY) * 3)  # pipelined
        assert [await answer(reader) for _ in range(3)] == [b"HTTP/1.1 200 OK"] * 3
        writer.close()


@pytest.mark.parametrize(
    "head", [b"x-a: " + b"a" * MAX_HEAD, b"x-a: b\r\n" * (MAX_HEAD // 8)], ids=["one header", "many headers"]
)
async def test_a_head_without_end_is_refused(served: Endpoint, head: bytes) -> None:
    async with models.listening(served.app) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(INFER + head)
        content = await reader.read()
        assert content.startswith(b"HTTP/1.1 431 ")
        assert f"more than {MAX_HEAD} bytes".encode() in content
        writer.close()


@pytest.mark.parametrize("trailer", [b"x-a: " + b"a" * 400 + b"\r\n", b"a" * 400], ids=["many", "one"])
async def test_trailers_without_end_are_refused(served: Endpoint, trailer: bytes) -> None:
    async with models.listening(served.app) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY))
        refused = asyncio.create_task(reader.read())
        sent = 0
        while not refused.done() and sent < 8 * MAX_HEAD:
            writer.write(trailer)
            sent += len(trailer)
            await asyncio.sleep(0.001)
        assert (await refused).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_answers_that_nobody_reads_do_not_pile_up(served: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Protocol] = []
    made = Protocol.connection_made

    def seen(self: Protocol, transport: asyncio.Transport) -> None:
        found.append(self)
        made(self, transport)

    monkeypatch.setattr(Protocol, "connection_made", seen)
    request = INFER + b"\r\n" + BODY
    async with models.listening(served.app) as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        assert await answer(reader) == b"HTTP/1.1 200 OK"
        found[0].pause_writing()  # as the transport says it
        for _ in range(3):
            writer.write(request)
            await asyncio.sleep(0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await answer(reader)
        found[0].resume_writing()
        assert [await answer(reader) for _ in range(3)] == [b"HTTP/1.1 200 OK"] * 3
        writer.close()


@pytest.mark.parametrize(
    "sent", [b"", INFER, INFER + b"\r\n" + BODY[:-1]], ids=["nothing", "headers", "most of a body"]
)
async def test_a_request_that_does_not_come_to_its_end_is_ended(
    served: Endpoint, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelyard_serving.protocol.READ_SECONDS", 0.2)
    async with models.listening(served.app) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        waiting, idle = await asyncio.open_connection("127.0.0.1", port)
        idle.write(INFER + b"\r\n" + BODY)
        await answer(waiting)
        await asyncio.sleep(1.5)  # between requests a connection may be quiet
        idle.write(INFER + b"\r\n" + BODY)
        assert await answer(waiting) == b"HTTP/1.1 200 OK"
        idle.close()


async def test_what_is_no_http_is_refused(served: Endpoint) -> None:
    async with models.listening(served.app) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        content = await reader.read()
        assert content.startswith(b"HTTP/1.1 400 ")
        assert orjson.loads(content.partition(b"\r\n\r\n")[2])["error"]
        writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The status line of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    return head.split(b"\r\n")[0]
