"""The V2 (Open Inference Protocol) JSON codec: a request's tensors to rows, predictions to tensors."""

from collections.abc import Sequence
from typing import Any

import orjson

from modelyard.contract.manifest import ModelManifest
from modelyard_kit.model import Prediction
from modelyard_serving.call import CURL_DEFAULT, JSON, Answer, Call, Endpoint, Request, inference_id, parse_json
from modelyard_serving.errors import RequestError
from modelyard_serving.tensors import DATATYPE_OF, rows_of_tensors

PREDICT = "predict"
PROBABILITY = "probability"  # of the predicted class
PREDICT_PROBA = "predict_proba"  # rows x classes, in the order of the metadata's `classes`; only where asked for


def parse(request: Request, endpoint: Endpoint) -> Call:
    """Raises `RequestError` with 400 or 415."""
    if "inference-header-content-length" in request.headers:
        raise RequestError(415, "binary tensors are not supported: send the data as JSON")
    if request.content_type not in ("", JSON, CURL_DEFAULT):
        raise RequestError(415, f"content type {request.content_type!r} is not supported here: send {JSON}")
    body = parse_json(request.body)
    if not isinstance(body, dict):
        raise RequestError(400, "the body must be a JSON object with inputs")
    call_id = inference_id(body.get("id"), request)
    rows = rows_of_tensors(endpoint.manifest.features, body.get("inputs"))
    wanted = _wanted(body.get("outputs"), endpoint.manifest)
    return Call(call_id, rows, lambda prediction: _render(endpoint, call_id, wanted, prediction), read)


def read(body: bytes) -> Sequence[Any]:
    """The predictions of an answer; none where the caller did not ask for them."""
    outputs = orjson.loads(body)["outputs"]
    return next((output["data"] for output in outputs if output["name"] == PREDICT), [])


def metadata(endpoint: Endpoint) -> dict[str, Any]:
    """The answer of GET /v2/models/<name>."""
    manifest = endpoint.manifest
    return {
        "name": endpoint.name,
        "versions": [endpoint.revision],
        "platform": f"{manifest.format}_{manifest.task}",
        "inputs": [
            {"name": column.name, "datatype": DATATYPE_OF[column.type], "shape": [-1]} for column in manifest.features
        ],
        "outputs": [
            {
                "name": name,
                "datatype": _datatype(name, manifest),
                "shape": [-1, len(manifest.classes)] if name == PREDICT_PROBA else [-1],
            }
            for name in _outputs(manifest)
        ],
        "parameters": {"classes": manifest.classes} if manifest.classes else {},
    }


def _outputs(manifest: ModelManifest) -> list[str]:
    return [PREDICT, PROBABILITY, PREDICT_PROBA] if manifest.task == "classification" else [PREDICT]


def _datatype(name: str, manifest: ModelManifest) -> str:
    return "BYTES" if name == PREDICT and manifest.task == "classification" else "FP64"


def _wanted(outputs: object, manifest: ModelManifest) -> list[str]:
    """The outputs the caller asks for; where it does not say, all but the whole matrix of probabilities."""
    known = _outputs(manifest)
    if not outputs:
        return known[:2]
    if not isinstance(outputs, list):
        raise RequestError(400, "outputs must be a list of {name}")
    names = [output.get("name") if isinstance(output, dict) else output for output in outputs]
    for name in names:
        if name not in known:
            raise RequestError(400, f"output {name!r} is not known: ask for {', '.join(known)}")
    return [name for name in known if name in names]


def _render(endpoint: Endpoint, call_id: str, wanted: list[str], prediction: Prediction) -> Answer:
    rows = len(prediction.values)
    outputs: list[dict[str, Any]] = []
    for name in wanted:
        shape, data = [rows], prediction.values if name == PREDICT else prediction.scores
        if name == PREDICT_PROBA and prediction.probabilities is not None:
            shape, data = [*prediction.probabilities.shape], prediction.probabilities.ravel().tolist()
        if data is not None:
            outputs.append({"name": name, "datatype": _datatype(name, endpoint.manifest), "shape": shape, "data": data})
    content = {"model_name": endpoint.name, "model_version": endpoint.revision, "id": call_id, "outputs": outputs}
    return Answer(200, orjson.dumps(content))
