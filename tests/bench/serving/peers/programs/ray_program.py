"""One replica; with the graph, batches of 32 within 1 ms."""

import time
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from tests.bench.serving.peers.model import FORM, PATH, PORT, answer, load, matrix, row_of


@serve.deployment(num_replicas=1, max_ongoing_requests=100, ray_actor_options={"num_cpus": 0})
class Served:
    def __init__(self) -> None:
        self.model = load()

    @serve.batch(max_batch_size=32, batch_wait_timeout_s=0.001)
    async def together(self, rows: list[list[float]]) -> list[str]:
        return self.model(matrix(rows))

    async def __call__(self, request: Request) -> dict[str, Any]:
        row = row_of(await request.json())
        return answer(self.model(matrix([row]))[0] if FORM == "native" else await self.together(row))


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000)
    serve.start(http_options={"host": "127.0.0.1", "port": int(PORT)})
    serve.run(Served.bind(), route_prefix=PATH)  # type: ignore[attr-defined]
    while True:
        time.sleep(3600)
