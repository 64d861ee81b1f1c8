"""A container that keeps to SageMaker's contract, or breaks it on purpose, on a free port of the loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from modelyard.contract.tasks import ContainerTask
from modelyard_serving.container import ContainerModel, LearnedElsewhere, container_client
from modelyard_serving.predictor import Predictor

Answer = Callable[[Any], tuple[int, Any]]  # of parsed rows: status and what is answered as JSON


def by_price(rows: Any) -> tuple[int, Any]:
    """What models.train's classifier answers, to rows or instances."""
    listed = [list(row.values()) for row in rows["instances"]] if isinstance(rows, dict) else rows
    return 200, ["low" if float(row[0]) < 20 else "high" for row in listed]


@dataclass
class Played:
    """`bodies` are what /invocations got; `ping` is what /ping answers."""

    port: int = 0
    ping: int = 200
    answer: Answer = by_price
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)  # /invocations waits for it
    arrived: threading.Event = field(default_factory=threading.Event)

    def task(self, **fields: Any) -> ContainerTask:
        return ContainerTask(port=self.port, **fields)


@contextmanager
def container() -> Iterator[Played]:
    played = Played()
    played.gate.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"played": played}))
    played.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield played
    finally:
        played.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    played: Played
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._say(self.played.ping, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.played.bodies.append((self.headers["content-type"], body))
        self.played.arrived.set()
        self.played.gate.wait(10)
        said: Any = body.decode() if self.headers["content-type"] == "text/csv" else json.loads(body)
        status, answer = self.played.answer(said)
        self._say(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def model(task: ContainerTask, manifest: Any, *, seconds: float = 5.0) -> Iterator[ContainerModel]:
    """As loading makes it, once it has answered /ping; `seconds` that an answer is waited for."""
    with container_client(task) as client:
        client.timeout = seconds
        made = ContainerModel(manifest, task, client)
        made.look()
        yield made


def predictor(made: ContainerModel) -> Predictor:
    return Predictor(made, LearnedElsewhere())
