"""The V2 (Open Inference Protocol) codec: a request's tensors to rows, predictions to tensors, as JSON or as bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import orjson

from modelyard.contract.manifest import ModelManifest
from modelyard_kit.model import Prediction
from modelyard_serving import binary
from modelyard_serving.call import (
    LONGEST,
    Answer,
    Call,
    Endpoint,
    Request,
    inference_id,
    parse_json,
    require_json,
)
from modelyard_serving.errors import RequestError
from modelyard_serving.metrics import Metrics
from modelyard_serving.tensors import DATATYPE_OF, rows_of_tensors
from modelyard_serving.typed import Tensors

SERVER = "modelyard"  # its name in the metadata
PREDICT = "predict"
PROBABILITY = "probability"  # of the predicted class
PREDICT_PROBA = "predict_proba"  # rows x classes, in the order of the metadata's `classes`; only where asked for
Output = dict[str, Any]  # a tensor: name, datatype, shape and data
Write = Callable[[Mapping[str, str], Sequence[Output]], Answer]  # model_name, model_version and id; all outputs


def parse(request: Request, endpoint: Endpoint) -> Call:
    """Raises `RequestError` with 400 or 415."""
    length = request.headers.get(binary.HEADER_LENGTH)
    if not (length and request.content_type == binary.OCTETS):
        require_json(request)
    content, rest = binary.header_of(request.body, length) if length else (request.body, memoryview(b""))
    told = endpoint.layouts.read(content, rest) if length else endpoint.typed.tensors(content)
    if told:
        return _call(told, request, endpoint, partial(_write, binary.wants_binary(told.outputs, told.parameters)))
    body = parse_json(content)
    if not isinstance(body, dict):
        raise RequestError(400, "the body must be a JSON object with inputs")
    if length:
        endpoint.layouts.learn(content, body)
    if (length or binary.SIZE in content) and isinstance(body.get("inputs"), list):
        body["inputs"] = binary.read_tensors(body["inputs"], rest)
    wanted = binary.wants_binary(body.get("outputs"), body.get("parameters"))
    return call_of(body, request, endpoint, partial(_write, wanted))


def call_of(body: Mapping[str, Any], request: Request, endpoint: Endpoint, write: Write) -> Call:
    """Of a body whose tensors have their data as lists. Raises `RequestError` with 400."""
    rows = rows_of_tensors(endpoint.manifest.features, body.get("inputs"))
    told = Tensors(rows, body.get("id"), body.get("outputs"), body.get("parameters"))
    return _call(told, request, endpoint, write)


def _call(told: Tensors, request: Request, endpoint: Endpoint, write: Write) -> Call:
    call_id = inference_id(told.id, request)
    form = Form(endpoint, call_id, _wanted(told.outputs, endpoint.manifest), write)
    return Call(call_id, told.rows, form.render, read, _seconds(told.parameters))


def _seconds(parameters: object) -> float:
    """Of the request parameter `timeout`, in microseconds as Triton's clients send it; 0 is none."""
    given = parameters.get("timeout") if isinstance(parameters, dict) else None
    if not given:
        return LONGEST
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise RequestError(400, "the parameter timeout must be a whole number of microseconds")
    return min(LONGEST, given / 1e6)


def read(body: bytes) -> Sequence[Any]:
    """The predictions of an answer; none where the caller did not ask for them."""
    return next((output["data"] for output in binary.outputs_of(body) if output["name"] == PREDICT), [])


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


def statistics(endpoint: Endpoint, metrics: Metrics) -> dict[str, Any]:
    """The answer of GET /v2/models/<name>/stats: Triton's extension `statistics`. What is not measured is left out: the
    time in the queue and that to read and write tensors."""
    failed = metrics.failed_seconds
    return {
        "model_stats": [
            {
                "name": endpoint.name,
                "version": endpoint.revision,
                "last_inference": int(metrics.last * 1000),
                "inference_count": metrics.rows,
                "execution_count": metrics.compute.count,
                "inference_stats": {
                    "success": _duration(metrics.requests(successful=True), metrics.seconds() - failed),
                    "fail": _duration(metrics.requests(successful=False), failed),
                    "compute_infer": _duration(metrics.compute.count, metrics.compute.sum),
                },
                "batch_stats": [],
            }
        ]
    }


def _duration(count: int, seconds: float) -> dict[str, int]:
    return {"count": count, "ns": int(seconds * 1e9)}


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


class Form(NamedTuple):
    """How a call is to be answered."""

    endpoint: Endpoint
    call_id: str
    wanted: Sequence[str]
    write: Write

    def render(self, prediction: Prediction) -> Answer:
        named = {"model_name": self.endpoint.name, "model_version": self.endpoint.revision, "id": self.call_id}
        return self.write(named, list(self._outputs(prediction)))

    def _outputs(self, prediction: Prediction) -> Iterator[Output]:
        rows = len(prediction.values)
        for name in self.wanted:
            shape, data = [rows], prediction.values if name == PREDICT else prediction.scores
            if name == PREDICT_PROBA and prediction.probabilities is not None:
                shape, data = [*prediction.probabilities.shape], prediction.probabilities.ravel().tolist()
            if data is not None:
                yield {"name": name, "datatype": _datatype(name, self.endpoint.manifest), "shape": shape, "data": data}


def _write(in_bytes: frozenset[str] | bool, named: Mapping[str, str], outputs: Sequence[Output]) -> Answer:
    """`in_bytes` are the outputs that go behind the JSON, True is all of them."""
    rest: list[bytes] = []
    for output in outputs:
        if in_bytes is True or (in_bytes and output["name"] in in_bytes):
            rest.append(binary.encoded(output["datatype"], output.pop("data")))
            output["parameters"] = {"binary_data_size": len(rest[-1])}
    content = orjson.dumps({**named, "outputs": outputs})
    if not rest:
        return Answer(200, content)
    length = ((binary.HEADER_LENGTH, str(len(content))),)
    return Answer(200, b"".join((content, *rest)), binary.OCTETS, length)
