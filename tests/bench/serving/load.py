"""A closed loop of keep-alive connections, as cheap as Python gets, in a process of its own on a core of its own.

`python -m tests.bench.serving.load <port> <path> <file with the body> <headers> <connections> <seconds> [<rate>]`
prints a Load as JSON; headers are a JSON object. With a rate, in requests a second, a connection waits for its turn.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import uvloop


@dataclass(frozen=True)
class Load:
    """Latencies in milliseconds."""

    requests: int
    errors: int
    p50_ms: float
    p99_ms: float


class Connection(asyncio.Protocol):
    """Sends the next request when it has the whole answer to the one before."""

    def __init__(self, request: bytes, until: float, every: float = 0.0) -> None:
        """`every` is how many seconds its requests are apart."""
        self._request = request
        self._until = until
        self._every = every
        self._due = time.perf_counter()
        self._got = b""
        self._sent = 0.0
        self.errors = 0
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end or len(body) < length_of(head):
            return
        now = time.perf_counter()
        self.latencies.append(now - self._sent)
        self.errors += not head.startswith(b"HTTP/1.1 200")
        self._got = b""
        self._due += self._every
        if max(now, self._due) >= self._until:
            self._until = now  # its end is no error
            self._transport.close()
        elif self._due > now and self._every:
            asyncio.get_running_loop().call_later(self._due - now, self._send)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if time.perf_counter() < self._until:
            self.errors += 1
        if not self.done.done():
            self.done.set_result(None)


def _stay_awake(loop: asyncio.AbstractEventLoop) -> None:
    """To wake a sleeping client costs microseconds of the server's CPU, and more the slower the server is: a client on
    another machine costs it nothing."""
    loop.call_soon(_stay_awake, loop)


def length_of(head: bytes) -> int:
    """Of the body, by the head of an answer; header names are in lower case or as Content-Length."""
    place = head.lower().find(b"content-length:")
    return int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0


def request_of(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """As it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: b", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def run(port: int, request: bytes, connections: int, seconds: float, rate: float | None = None) -> Load:
    """Raises ConnectionError where nothing answers."""
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    if rate is None:
        loop.call_soon(_stay_awake, loop)
    every = connections / rate if rate else 0.0
    made = [
        (await loop.create_connection(lambda: Connection(request, until, every), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(each.done for each in made))
    times = sorted(latency for each in made for latency in each.latencies)
    if not times:
        raise ConnectionError(f"there was no answer from port {port}")
    middle, late = times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000
    return Load(len(times), sum(each.errors for each in made), round(middle, 3), round(late, 3))


def main() -> None:
    port, path, file, headers, connections, seconds, *rates = sys.argv[1:]
    request = request_of(path, Path(file).read_bytes(), json.loads(headers))
    made = uvloop.run(run(int(port), request, int(connections), float(seconds), float(rates[0]) if rates else None))
    print(json.dumps(asdict(made)))


if __name__ == "__main__":
    main()
