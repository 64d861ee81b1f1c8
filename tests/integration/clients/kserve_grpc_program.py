"""KServe's gRPC client: `python kserve_grpc_program.py <port>`."""

import asyncio
import json
import sys
from typing import Any

import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest


def inputs(in_bytes: bool) -> list[Any]:
    """Values of numpy go in bytes, lists in typed contents."""
    columns = {
        "price": ("FP64", np.array([5.0, 35.0])),
        "region": ("BYTES", np.array(["north", "south"], dtype=object)),
        "hour": ("INT64", np.array([3, 4])),
    }
    made = []
    for name, (datatype, values) in columns.items():
        tensor = InferInput(name, [2], datatype, data=None if in_bytes else values.tolist())
        if in_bytes:
            tensor.set_data_from_numpy(values, binary_data=True)
        made.append(tensor)
    return made


async def asked(client: Any, given: list[Any]) -> dict[str, Any]:
    answer = await client.infer(InferRequest("demo", given, request_id="mine"))
    predicted = next(output for output in answer.outputs if output.name == "predict")
    words = [word.decode() if isinstance(word, bytes) else word for word in predicted.as_numpy().tolist()]
    return {"id": answer.id, "predict": words}


async def main() -> None:
    async with InferenceGRPCClient(f"127.0.0.1:{sys.argv[1]}") as client:
        seen = {
            "ready": [
                await client.is_server_live(),
                await client.is_server_ready(),
                await client.is_model_ready("demo"),
            ],
            "bytes": await asked(client, inputs(in_bytes=True)),
            "contents": await asked(client, inputs(in_bytes=False)),
            "both": await asked(client, [*inputs(in_bytes=True)[:1], *inputs(in_bytes=False)[1:]]),
        }
    print(json.dumps(seen))


asyncio.run(main())
