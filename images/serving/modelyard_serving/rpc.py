"""V2 over gRPC, the calls of `inference.GRPCInferenceService`: read and written here, answered as those of HTTP are.

Imported only where it is asked for: gRPC costs 12 MB and eight threads.
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import grpc
import orjson

from modelyard_kit.failure import shorten
from modelyard_serving import messages, v2
from modelyard_serving.answering import Answered, answer_routed
from modelyard_serving.call import LONGEST, Answer, Request, error_answer
from modelyard_serving.errors import RequestError
from modelyard_serving.exchange import exchange
from modelyard_serving.health import health
from modelyard_serving.http import MAX_BODY, too_large
from modelyard_serving.inference_pb2 import (
    DESCRIPTOR,
    ModelMetadataRequest,
    ModelMetadataResponse,
    ModelReadyRequest,
    ModelReadyResponse,
    ServerLiveRequest,
    ServerLiveResponse,
    ServerMetadataRequest,
    ServerMetadataResponse,
    ServerReadyRequest,
    ServerReadyResponse,
)
from modelyard_serving.serving import MAX_IN_FLIGHT, Serving
from modelyard_serving.work import Work

SERVICE: str = DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name
CODES = {
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}  # of others: INVALID_ARGUMENT
DETAILS = 500  # characters, each of them up to 12 bytes of a header
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_BODY + MAX_BODY // 3),  # up to it the server itself refuses, and counts
    ("grpc.max_concurrent_streams", MAX_IN_FLIGHT),  # of a connection; what is more waits at the client
    ("grpc.compression_enabled_algorithms_bitset", 1),  # none: what is unpacked may be of any size
    ("grpc.max_connection_age_ms", 300_000),  # then clients connect anew, to pods that were not there before, too
    ("grpc.max_connection_age_grace_ms", int(LONGEST * 1000)),
    ("grpc.so_reuseport", 0),  # a port that is taken is an error
)
Handle = Callable[[Any], Awaitable[Any]]


def server(serving: Serving) -> Any:
    """A `grpc.aio.Server` without a port; it is made and used on one event loop."""
    return grpc.aio.server(handlers=(Inference(serving).handlers(), health(serving, SERVICE)), options=OPTIONS)


class Inference:
    def __init__(self, serving: Serving) -> None:
        self.serving = serving

    def handlers(self) -> Any:
        """The service's calls by their names. What a ModelInfer says stays bytes, so that wrong ones are told."""
        calls = {
            "ServerLive": _call(self.server_live, ServerLiveRequest, ServerLiveResponse),
            "ServerReady": _call(self.server_ready, ServerReadyRequest, ServerReadyResponse),
            "ServerMetadata": _call(self.server_metadata, ServerMetadataRequest, ServerMetadataResponse),
            "ModelReady": _call(self.model_ready, ModelReadyRequest, ModelReadyResponse),
            "ModelMetadata": _call(self.model_metadata, ModelMetadataRequest, ModelMetadataResponse),
            "ModelInfer": grpc.unary_unary_rpc_method_handler(self.model_infer),
        }
        return grpc.method_handlers_generic_handler(SERVICE, calls)

    async def server_live(self, _: ServerLiveRequest) -> ServerLiveResponse:
        return ServerLiveResponse(live=True)

    async def server_ready(self, _: ServerReadyRequest) -> ServerReadyResponse:
        return ServerReadyResponse(ready=self.serving.ready)

    async def server_metadata(self, _: ServerMetadataRequest) -> ServerMetadataResponse:
        return ServerMetadataResponse(name=v2.SERVER, version=self.serving.task.revision)

    async def model_ready(self, request: ModelReadyRequest) -> ModelReadyResponse:
        self.serving.check_model(request.name, request.version or None)
        return ModelReadyResponse(ready=self.serving.ready)

    async def model_metadata(self, request: ModelMetadataRequest) -> ModelMetadataResponse:
        told = v2.metadata(self.serving.model(request.name, request.version or None).endpoint)
        del told["parameters"]  # the message has no place for them
        return ModelMetadataResponse(**told)

    async def model_infer(self, content: bytes, context: Any) -> bytes:
        answer, captured = await exchange(self.serving, "grpc", partial(self._infer, content, context))
        self.serving.capture(captured)
        if answer.status != 200:
            await _refuse(context, answer)
        return answer.body

    async def _infer(self, content: bytes, context: Any, started: float) -> Answered:
        if len(content) > MAX_BODY:
            raise too_large()
        message = messages.parse(content)
        loaded = self.serving.model(message.model_name, message.model_version or None)
        request, left = Request({}, content), context.time_remaining()
        call = messages.call(message, request, loaded.endpoint, LONGEST if left is None else left)
        path = f"/v2/models/{message.model_name}/infer"
        work = Work(loaded, request, call, path, time.perf_counter() - started, receive=None)
        return await answer_routed(self.serving, work, pinned=bool(message.model_version))


def _call(handle: Handle, request: Any, response: Any) -> Any:
    async def handled(message: Any, context: Any) -> Any:
        try:
            return await handle(message)
        except RequestError as error:
            await _refuse(context, error_answer(error))

    return grpc.unary_unary_rpc_method_handler(handled, request.FromString, response.SerializeToString)


async def _refuse(context: Any, answer: Answer) -> None:
    """Ends the call with what another protocol's caller would read. Raises AbortError, always."""
    retry = dict(answer.headers).get("retry-after")
    pushback = (("grpc-retry-pushback-ms", str(int(retry) * 1000)),) if retry else ()
    code = CODES.get(answer.status, grpc.StatusCode.INVALID_ARGUMENT)
    await context.abort(code, shorten(orjson.loads(answer.body)["error"], DETAILS), pushback)
