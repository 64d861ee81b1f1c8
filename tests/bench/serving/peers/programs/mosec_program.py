"""One worker; with the graph, batches of 32 within 1 ms."""

import sys
from typing import Any

import orjson
from mosec import Runtime, Server, Worker

from tests.bench.serving.peers.model import FORM, PATH, PORT, answer, load, matrix, row_of


class Model(Worker):
    def __init__(self) -> None:
        super().__init__()
        self.model = load()

    def deserialize(self, data: bytes) -> Any:
        return orjson.loads(data)

    def serialize(self, data: Any) -> bytes:
        return orjson.dumps(data)

    def forward(self, data: Any) -> Any:
        if FORM == "native":
            return answer(self.model(matrix([row_of(data)]))[0])
        return [answer(label) for label in self.model(matrix([row_of(body) for body in data]))]


if __name__ == "__main__":
    sys.argv += ["--port", PORT, "--address", "127.0.0.1", "--log-level", "error"]
    server = Server()
    batches = {"max_batch_size": 32, "max_wait_time": 1} if FORM == "graph" else {}
    server.register_runtime({PATH: [Runtime(Model, num=1, **batches)]})
    server.run()
