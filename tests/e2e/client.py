"""A client of an endpoint: V2 predictions, over HTTP and gRPC, and feedback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pandas as pd

from modelyard.contract.tasks import GRPC_PORT
from modelyard_serving import inference_pb2 as pb
from tests.product.forward import forward
from tests.product.product import Product


@dataclass
class Client:
    http: httpx.Client
    model: str

    def predict(self, rows: pd.DataFrame, request_id: str) -> dict[str, Any]:
        inputs = [
            {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": rows[name].tolist()} for name in ("x", "y")
        ]
        answer = self.http.post(f"/v2/models/{self.model}/infer", json={"id": request_id, "inputs": inputs})
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    def labels(self, rows: pd.DataFrame, request_id: str) -> None:
        """Post the truth of a request's rows."""
        ids = [request_id] if len(rows) == 1 else [f"{request_id}/{i}" for i in range(len(rows))]
        labels = [{"inference_id": i, "label": v} for i, v in zip(ids, rows["label"], strict=True)]
        self.http.post(f"/v2/models/{self.model}/feedback", json={"labels": labels}).raise_for_status()


def predictions(answer: dict[str, Any]) -> list[Any]:
    return list(next(o["data"] for o in answer["outputs"] if o["name"] == "predict"))


@contextmanager
def client(product: Product, namespace: str, name: str) -> Iterator[Client]:
    """A client of the pods behind the endpoint's Service."""
    with (
        forward(product, namespace, f"service/{name}", 80) as url,
        httpx.Client(base_url=url, timeout=30) as http,
    ):
        yield Client(http, name)


def predicted_over_grpc(product: Product, namespace: str, name: str, x: float, y: float) -> list[str]:
    """The prediction for one row."""
    given = {"x": x, "y": y}
    with (
        forward(product, namespace, f"service/{name}", GRPC_PORT) as url,
        grpc.insecure_channel(url.removeprefix("http://")) as channel,
    ):
        infer = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=pb.ModelInferRequest.SerializeToString,
            response_deserializer=pb.ModelInferResponse.FromString,
        )
        inputs = [
            {"name": column, "datatype": "FP64", "shape": [1], "contents": {"fp64_contents": [value]}}
            for column, value in given.items()
        ]
        outputs = infer(pb.ModelInferRequest(model_name=name, inputs=inputs), timeout=30).outputs
        return [word.decode() for word in outputs[0].contents.bytes_contents]
