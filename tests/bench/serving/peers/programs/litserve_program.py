"""One worker; with the graph, batches of 32 within 1 ms."""

from typing import Any

import litserve

from tests.bench.serving.peers.model import FORM, PATH, PORT, answer, load, matrix, row_of


class API(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = load()

    def decode_request(self, request: dict[str, Any]) -> list[float]:
        return row_of(request)

    def batch(self, inputs: list[list[float]]) -> Any:
        return matrix(inputs)

    def predict(self, x: Any) -> Any:
        return self.model(x) if FORM == "graph" else self.model(matrix([x]))[0]

    def unbatch(self, output: list[str]) -> list[str]:
        return output

    def encode_response(self, output: str) -> dict[str, Any]:
        return answer(output)


if __name__ == "__main__":
    batches = {"max_batch_size": 32, "batch_timeout": 0.001} if FORM == "graph" else {}
    server = litserve.LitServer(API(api_path=PATH, **batches), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(PORT), generate_client_file=False, log_level="error", access_log=False)
