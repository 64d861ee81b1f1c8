"""V2's messages of gRPC to bodies of V2's JSON, and back: the tensors, parameters and outputs are the same.

Answers are in bytes where a request was, as Triton answers, else in typed contents. Where a call is sent on it is JSON.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from google.protobuf.message import DecodeError

from modelyard_serving import binary, v2
from modelyard_serving.call import JSON, Answer, Call, Detour, Endpoint, Request
from modelyard_serving.errors import RequestError
from modelyard_serving.inference_pb2 import InferParameter, ModelInferRequest, ModelInferResponse

MEDIA_TYPE = "application/grpc"
CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}  # FP16 has none: it is sent in bytes
Tensor = ModelInferRequest.InferInputTensor | ModelInferResponse.InferOutputTensor


def parse(content: bytes) -> ModelInferRequest:
    """Raises `RequestError` 400."""
    try:
        found: ModelInferRequest = ModelInferRequest.FromString(content)
    except DecodeError as error:
        raise RequestError(400, f"the message is no ModelInferRequest: {error}") from error
    return found


def call(message: ModelInferRequest, request: Request, endpoint: Endpoint, seconds: float) -> Call:
    """`seconds` are left until the caller's deadline. Raises `RequestError` 400."""
    body = {
        "id": message.id,
        "parameters": _parameters(message.parameters),
        "inputs": _tensors(message.inputs, message.raw_input_contents),
        "outputs": [{"name": output.name} for output in message.outputs],
    }
    write = partial(_write, bool(message.raw_input_contents))
    found = v2.call_of(body, request, endpoint, write)
    seconds = min(found.seconds, seconds)
    return found._replace(
        read=read, seconds=seconds, detour=Detour(partial(_there, body, seconds), partial(_back, write))
    )


def read(content: bytes) -> Sequence[Any]:
    """The predictions of an answer; none where the caller did not ask for them."""
    message = ModelInferResponse.FromString(content)
    outputs = _tensors(message.outputs, message.raw_output_contents)
    return next((output["data"] for output in outputs if output["name"] == v2.PREDICT), [])


def _tensors(tensors: Iterable[Tensor], in_bytes: Sequence[bytes]) -> list[dict[str, Any]]:
    """With their data as lists: each from its contents, or from the next of `in_bytes`."""
    found = []
    rest = list(reversed(in_bytes))
    for tensor in tensors:
        given: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        data = _values(tensor)
        if not data and rest:
            data = binary.elements(given, memoryview(rest.pop()))
        found.append({**given, "data": data})
    if rest:
        raise RequestError(400, f"{len(rest)} of {len(in_bytes)} raw contents belong to no tensor: send one for each")
    return found


def _values(tensor: Tensor) -> list[Any]:
    values = list(getattr(tensor.contents, CONTENTS.get(tensor.datatype, ""), ()))
    if tensor.datatype == "BYTES":
        return [binary.word(tensor.name, place, value) for place, value in enumerate(values)]
    return values


def _parameters(given: Mapping[str, InferParameter]) -> dict[str, Any]:
    chosen = ((name, value, value.WhichOneof("parameter_choice")) for name, value in given.items())
    return {name: getattr(value, kind) for name, value, kind in chosen if kind}


def _write(in_bytes: bool, named: Mapping[str, str], outputs: Sequence[v2.Output]) -> Answer:
    message = ModelInferResponse(model_name=named["model_name"], model_version=named["model_version"], id=named["id"])
    for output in outputs:
        datatype, data = output["datatype"], output["data"]
        tensor = message.outputs.add(name=output["name"], datatype=datatype, shape=output["shape"])
        if in_bytes:
            message.raw_output_contents.append(binary.encoded(datatype, data))
        else:
            values = [str(value).encode() for value in data] if datatype == "BYTES" else data
            getattr(tensor.contents, CONTENTS[datatype]).extend(values)
    return Answer(200, message.SerializeToString(), MEDIA_TYPE)


def _there(body: dict[str, Any], seconds: float) -> Request:
    limited = {**body, "parameters": {"timeout": max(1, int(seconds * 1e6))}}
    return Request({"content-type": JSON}, orjson.dumps(limited))


def _back(write: v2.Write, answer: Answer) -> Answer:
    found = orjson.loads(answer.body)
    return write(found, found["outputs"])
