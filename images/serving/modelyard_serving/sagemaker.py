"""SageMaker's quiet paths: what batch transform asks a container, and the calls of multi-model endpoints.

https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html
"""

from typing import Any

from fastapi import FastAPI, Request

from modelyard_serving.call import parse_json
from modelyard_serving.errors import RequestError
from modelyard_serving.http import MAX_BODY, read_request
from modelyard_serving.serving import Serving

CONCURRENT = 8  # requests of a batch transform; batches form by themselves
ALREADY_LOADED = 409
NO_ROOM = 507


def add_sagemaker(app: FastAPI, serving: Serving) -> None:
    async def execution_parameters() -> dict[str, Any]:
        return {
            "MaxConcurrentTransforms": CONCURRENT,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": MAX_BODY // 2**20,
        }

    def entry() -> dict[str, str]:
        return {"modelName": serving.task.model_name, "modelUrl": serving.task.model_digest}

    async def models(request: Request) -> dict[str, Any]:
        if request.method == "POST":
            await refuse_to_load(request)
        return {"models": [entry()] if serving.loaded else []}

    async def model(name: str) -> dict[str, str]:
        serving.model(name)
        return entry()

    async def refuse_to_load(request: Request) -> None:
        """Which model is served is for its resource to say."""
        body = parse_json((await read_request(request.scope, request.receive)).body)
        name = body.get("model_name") if isinstance(body, dict) else None
        if not isinstance(name, str):
            raise RequestError(400, 'the body must be {"model_name": ..., "url": ...}')
        if name == serving.task.model_name:
            raise RequestError(ALREADY_LOADED, f"model {name!r} is loaded already")
        raise RequestError(NO_ROOM, f"this endpoint serves one model, {serving.task.model_name!r}: deploy {name!r}")

    app.add_api_route("/execution-parameters", execution_parameters)
    app.add_api_route("/models", models, methods=["GET", "POST"])
    app.add_api_route("/models/{name}", model)
