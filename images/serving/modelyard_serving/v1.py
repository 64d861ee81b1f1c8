"""The V1 (TensorFlow Serving, KServe) JSON codec of POST /v1/models/<name>:predict."""

from collections.abc import Sequence
from typing import Any

import orjson

from modelyard.contract.manifest import Column
from modelyard_kit.model import Prediction
from modelyard_serving.call import Answer, Call, Endpoint, Request, inference_id, parse_json, require_json
from modelyard_serving.errors import RequestError
from modelyard_serving.invocations import rows_of_instances
from modelyard_serving.rows import Rows

INFERENCE_ID = "x-request-id"  # the protocol's body has no place for it


def parse(request: Request, endpoint: Endpoint) -> Call:
    """Raises `RequestError` with 400 or 415."""
    require_json(request)
    rows = endpoint.typed.instances(request.body) or _rows(request.body, endpoint.manifest.features)
    call_id = inference_id(request.headers.get(INFERENCE_ID), request)

    def answer(prediction: Prediction) -> Answer:
        return Answer(200, orjson.dumps({"predictions": prediction.values}), headers=((INFERENCE_ID, call_id),))

    return Call(call_id, rows, answer, read)


def _rows(body: bytes, features: Sequence[Column]) -> Rows:
    content = parse_json(body)
    if not isinstance(content, dict) or "instances" not in content:
        raise RequestError(400, 'the body must be {"instances": [...]}, a list of rows')
    return rows_of_instances(features, content["instances"])


def read(body: bytes) -> Sequence[Any]:
    predictions: list[Any] = orjson.loads(body)["predictions"]
    return predictions
