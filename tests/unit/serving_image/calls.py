"""A real gRPC server of an endpoint on the loopback, and calls of it as any client makes them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from modelyard_serving import binary, rpc
from modelyard_serving import inference_pb2 as pb
from modelyard_serving.messages import CONTENTS
from modelyard_serving.serving import Serving

TYPES = {"price": "FP64", "region": "BYTES", "hour": "INT64"}


@dataclass(frozen=True)
class Calls:
    channel: Any

    async def ask(self, name: str, request: Any = None, seconds: float | None = 10.0) -> Any:
        """The answer to an empty request of `name`, or to `request`; a request of bytes is sent as it is."""
        kind, answer = getattr(pb, f"{name}Request"), getattr(pb, f"{name}Response")
        call = self.channel.unary_unary(
            f"/inference.GRPCInferenceService/{name}",
            request_serializer=lambda m: m if isinstance(m, bytes) else m.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return await call(kind() if request is None else request, timeout=seconds)

    async def infer(self, request: Any, seconds: float | None = 10.0) -> pb.ModelInferResponse:
        answer: pb.ModelInferResponse = await self.ask("ModelInfer", request, seconds)
        return answer


@asynccontextmanager
async def connected(port: int, **options: Any) -> AsyncIterator[Calls]:
    """`options` are arguments of the client's channel."""
    # Each channel has connections of its own, also to a port that another test had.
    arguments = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", arguments, **options) as channel:
        yield Calls(channel)


@asynccontextmanager
async def listening(serving: Serving) -> AsyncIterator[tuple[int, Any]]:
    """The port of a gRPC server, and the server."""
    server = rpc.server(serving)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port, server
    await server.stop(None)


@asynccontextmanager
async def calling(serving: Serving, **options: Any) -> AsyncIterator[Calls]:
    async with listening(serving) as (port, _), connected(port, **options) as calls:
        yield calls


def request(
    columns: Mapping[str, list[Any]], in_bytes: bool = False, parameters: Mapping[str, int] | None = None, **more: Any
) -> pb.ModelInferRequest:
    """A ModelInfer of one tensor per column; `more` are further fields of the message."""
    made = pb.ModelInferRequest(**{"model_name": "demo", **more})
    for name, value in (parameters or {}).items():
        made.parameters[name].int64_param = value
    for name, values in columns.items():
        kind = TYPES[name]
        tensor = made.inputs.add(name=name, datatype=kind, shape=[len(values)])
        if in_bytes:
            made.raw_input_contents.append(binary.encoded(kind, values))
        else:
            given = [value.encode() for value in values] if kind == "BYTES" else values
            getattr(tensor.contents, CONTENTS[kind]).extend(given)
    return made


def values(answer: pb.ModelInferResponse) -> dict[str, list[Any]]:
    """The outputs as lists by their names, however they were sent."""
    found = {}
    for place, output in enumerate(answer.outputs):
        if answer.raw_output_contents:
            tensor = {"name": output.name, "datatype": output.datatype}
            found[output.name] = binary.elements(tensor, memoryview(answer.raw_output_contents[place]))
        else:
            given = list(getattr(output.contents, CONTENTS[output.datatype]))
            found[output.name] = [value.decode() for value in given] if output.datatype == "BYTES" else given
    return found
