"""Triton's gRPC client library: `python triton_grpc_program.py <port>`."""

import json
import sys
from typing import Any

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

COLUMNS = {
    "price": ("FP64", np.array([5.0, 35.0])),
    "region": ("BYTES", np.array(["north", "south"], dtype=object)),
    "hour": ("INT64", np.array([3, 4])),
}


def inputs() -> list[Any]:
    made = []
    for name, (datatype, values) in COLUMNS.items():
        given = InferInput(name, [2], datatype)
        given.set_data_from_numpy(values)
        made.append(given)
    return made


def asked(client: Any, names: tuple[str, ...]) -> dict[str, Any]:
    answer = client.infer(
        "demo",
        inputs(),
        request_id="mine",
        outputs=[InferRequestedOutput(name) for name in names],
        timeout=5_000_000,
        client_timeout=30,
    )
    words = [value.decode() for value in answer.as_numpy("predict").tolist()]
    return {
        "id": answer.get_response().id,
        "predict": words,
        "others": [[answer.as_numpy(name).dtype.name, list(answer.as_numpy(name).shape)] for name in names[1:]],
    }


def refused(client: Any, model: str, given: list[Any]) -> str:
    try:
        client.infer(model, given)
    except InferenceServerException as error:
        return f"{error.status()}: {error.message()}"
    return ""


with InferenceServerClient(f"127.0.0.1:{sys.argv[1]}") as client:
    seen = {
        "ready": [client.is_server_live(), client.is_server_ready(), client.is_model_ready("demo")],
        "server": client.get_server_metadata().name,
        "inputs": [given.name for given in client.get_model_metadata("demo").inputs],
        "some": asked(client, ("predict", "probability")),
        "all": asked(client, ("predict", "probability", "predict_proba")),
        "too few tensors": refused(client, "demo", inputs()[:2]),
        "another model": refused(client, "other", inputs()),
    }
print(json.dumps(seen))
