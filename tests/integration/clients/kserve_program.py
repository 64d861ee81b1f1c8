"""KServe's Python client, by both of its protocols: `python kserve_program.py <port>`."""

import asyncio
import json
import sys
from typing import Any

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

URL = f"http://127.0.0.1:{sys.argv[1]}"


def inputs() -> list[Any]:
    price = InferInput("price", [2], "FP64")
    price.set_data_from_numpy(np.array([5.0, 35.0]), binary_data=True)
    hour = InferInput("hour", [2], "INT64", data=[3, 4])
    region = InferInput("region", [2], "BYTES", data=["north", "south"])
    return [price, region, hour]


async def by_v2() -> dict[str, Any]:
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
        ready = [
            await client.is_server_live(URL),
            await client.is_server_ready(URL),
            await client.is_model_ready(URL, "demo"),
        ]
        answer = await client.infer(URL, InferRequest("demo", inputs(), request_id="mine"), model_name="demo")
        predicted = next(output for output in answer.outputs if output.name == "predict")
        return {"ready": ready, "id": answer.id, "predict": list(predicted.data)}


async def by_v1() -> dict[str, Any]:
    async with InferenceRESTClient(RESTConfig(protocol="v1", retries=0)) as client:
        rows = {"instances": [{"price": 5, "region": "north", "hour": 3}]}
        ready = await client.is_model_ready(URL, "demo")
        answer = await client.infer(URL, rows, model_name="demo")
        why = (await client.explain(URL, "demo", rows))["explanations"][0]["outputs"][0]
        return {"ready": ready, "predictions": answer["predictions"], "attributions": why["attributions"]}


async def main() -> None:
    print(json.dumps({"v2": await by_v2(), "v1": await by_v1()}))


asyncio.run(main())
