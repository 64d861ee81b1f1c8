"""The load generator: it counts whole answers, and tells those that are none or are not 200."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.bench.serving.load import length_of, request_of, run
from tests.bench.serving.process import tree

REQUEST = request_of("/", b"{}", {})


@asynccontextmanager
async def answering(*pieces: bytes, connections: int) -> AsyncIterator[int]:
    """A server that answers every request of one packet with these pieces, apart in time; without any it hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)
            if not pieces:
                break
        writer.close()
        await writer.wait_closed()
        left.release()

    left = asyncio.Semaphore(0)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for _ in range(connections):
            await left.acquire()


async def test_an_answer_in_pieces_is_one_answer() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-le", b"ngth: 4\r\n\r\nab", b"cd", connections=3) as port:
        made = await run(port, REQUEST, 3, 0.2)
    assert made.errors == 0
    assert 3 <= made.requests < 3 * 0.2 / 0.003 + 3
    assert 2 < made.p50_ms <= made.p99_ms


async def test_with_a_rate_requests_are_sent_when_they_are_due() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", connections=2) as port:
        made = await run(port, REQUEST, 2, 0.5, rate=40)
    assert made.errors == 0
    assert 10 <= made.requests <= 22


@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"500 Internal Server Error"])
async def test_another_status_is_an_error(status: bytes) -> None:
    async with answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n", connections=1) as port:
        made = await run(port, REQUEST, 1, 0.05)
    assert made.errors == made.requests > 0


async def test_without_any_answer_there_is_no_figure() -> None:
    async with answering(connections=2) as port:
        with pytest.raises(ConnectionError, match="no answer"):
            await run(port, REQUEST, 2, 0.05)


def test_a_request_has_the_headers_that_its_payload_needs() -> None:
    headers = {"content-type": "text/csv", "accept": "text/csv"}
    assert request_of("/invocations", b"1,2\n", headers) == (
        b"POST /invocations HTTP/1.1\r\nhost: b\r\ncontent-type: text/csv\r\naccept: text/csv\r\n"
        b"content-length: 4\r\n\r\n1,2\n"
    )


def test_the_length_is_found_however_the_header_is_written() -> None:
    assert length_of(b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 12\r\nY: 2") == 12
    assert length_of(b"HTTP/1.1 204 No Content") == 0


async def test_a_process_tree_has_its_descendants() -> None:
    process = await asyncio.create_subprocess_exec("sh", "-c", "sleep 30 & wait")
    async with asyncio.timeout(5):
        while len(tree(process.pid)) < 2:  # noqa: ASYNC110 - it offers no event
            await asyncio.sleep(0.01)
    found = tree(process.pid)
    assert found[0] == process.pid
    child = await asyncio.create_subprocess_exec("kill", str(found[1]))
    await child.wait()
    await process.wait()
