"""KServe's SDK with one worker and no gRPC; it has no batches."""

from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, logging

from tests.bench.serving.peers.model import PORT, load, matrix


class Served(Model):
    def __init__(self) -> None:
        super().__init__("bench")
        self.model = load()
        self.ready = True

    def predict(self, payload: InferRequest, headers: Any = None, response_headers: Any = None) -> InferResponse:
        labels = self.model(matrix([[tensor.data[0] for tensor in payload.inputs]]))
        output = InferOutput(name="predict", shape=[1], datatype="BYTES", data=labels)
        return InferResponse(response_id=payload.id or "0", model_name=self.name, infer_outputs=[output])


if __name__ == "__main__":
    logging.configure_logging()
    ModelServer(http_port=int(PORT), workers=1, enable_grpc=False, access_log_format=None).start([Served()])
