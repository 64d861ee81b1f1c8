"""Triton's HTTP client library: `python triton_program.py <port>`."""

import json
import sys
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

COLUMNS = {
    "price": ("FP64", np.array([5.0, 35.0])),
    "region": ("BYTES", np.array(["north", "south"], dtype=object)),
    "hour": ("INT64", np.array([3, 4])),
}


def inputs(binary: bool) -> list[Any]:
    made = []
    for name, (datatype, values) in COLUMNS.items():
        given = InferInput(name, [2], datatype)
        given.set_data_from_numpy(values, binary_data=binary)
        made.append(given)
    return made


def asked(client: Any, binary: bool) -> dict[str, Any]:
    wanted = [InferRequestedOutput(name, binary_data=binary) for name in ("predict", "probability")]
    answer = client.infer("demo", inputs(binary), request_id="mine", outputs=wanted)
    words = [value.decode() if isinstance(value, bytes) else value for value in answer.as_numpy("predict").tolist()]
    return {"id": answer.get_response()["id"], "predict": words, "type": answer.as_numpy("probability").dtype.name}


def refused(client: Any) -> str:
    try:
        client.infer("demo", inputs(binary=True)[:2])
    except InferenceServerException as error:
        return str(error)
    return ""


with InferenceServerClient(f"127.0.0.1:{sys.argv[1]}") as client:
    seen = {
        "ready": [client.is_server_live(), client.is_server_ready(), client.is_model_ready("demo")],
        "server": client.get_server_metadata()["name"],
        "inputs": [given["name"] for given in client.get_model_metadata("demo")["inputs"]],
        "binary": asked(client, binary=True),
        "json": asked(client, binary=False),
        "refused": refused(client),
        "rows": client.get_inference_statistics("demo")["model_stats"][0]["inference_count"],
    }
print(json.dumps(seen))
