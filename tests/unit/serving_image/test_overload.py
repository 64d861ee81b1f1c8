"""The real process with ten times the requests that it takes at once: who is accepted is answered, others are told."""

import asyncio
from collections import Counter
from pathlib import Path

import orjson

from tests.bench.operator.usage import usage
from tests.unit.serving_image import models
from tests.unit.serving_image.test_process import INFER, row, started

CALLERS = 1280
TIMES = 4
GROWTH_MB = 80.0


async def test_ten_times_too_many_requests_fail_none_that_is_accepted(tmp_path: Path) -> None:
    where = models.place(tmp_path)
    digest = models.publish(where, "classification")
    async with started(tmp_path, where.task(digest)) as server:
        await server.ready()
        await server.client.post(INFER, json=row(3.5))
        before = usage(server.process.pid).pss_mb
        port = server.client.base_url.port
        assert port
        barrier = asyncio.Barrier(CALLERS)
        async with asyncio.timeout(120):
            answers = await asyncio.gather(*(caller(port, barrier) for _ in range(CALLERS)))
        statuses = Counter(status for each in answers for status, _ in each)
        assert sum(statuses.values()) == CALLERS * TIMES
        assert statuses.keys() == {200, 429}
        assert {body for each in answers for status, body in each if status == 200} == {"low"}
        assert usage(server.process.pid).pss_mb - before < GROWTH_MB
        assert (await server.client.post(INFER, json=row(3.5))).status_code == 200


async def caller(port: int, barrier: asyncio.Barrier) -> list[tuple[int, str]]:
    """Status and prediction, or the error, of each of its requests; all callers send each at the same time."""
    body = orjson.dumps(row(3.5))
    request = f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for _ in range(TIMES):
        await barrier.wait()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
        answer = orjson.loads(await reader.readexactly(size))
        status = int(head.split(" ", 2)[1])
        found.append((status, answer["outputs"][0]["data"][0] if status == 200 else answer["error"]))
    writer.close()
    return found
