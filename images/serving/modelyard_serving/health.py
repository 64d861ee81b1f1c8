"""gRPC's own health check, which probes, balancers and clients ask: the server serves while its model is ready."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from modelyard_serving.serving import Serving

LOOK_EVERY = 0.5  # seconds, for those that watch
Status = health_pb2.HealthCheckResponse


def health(serving: Serving, service: str) -> Any:
    """The handlers of `grpc.health.v1.Health` for `service`, and for "", which is the server."""

    def status() -> int:
        return int(Status.SERVING if serving.ready else Status.NOT_SERVING)

    async def check(request: Any, context: Any) -> Any:
        if request.service not in ("", service):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"service {request.service!r} is not served here")
        return Status(status=status())

    async def watch(request: Any, _: Any) -> AsyncIterator[Any]:
        """Until the server drains: a call that goes on would keep it from ending."""
        if request.service not in ("", service):
            yield Status(status=Status.SERVICE_UNKNOWN)
            return
        told = None
        while not serving.draining:
            if (now := status()) != told:
                yield Status(status=now)
                told = now
            await asyncio.sleep(LOOK_EVERY)
        yield Status(status=Status.NOT_SERVING)

    read, write = health_pb2.HealthCheckRequest.FromString, Status.SerializeToString
    calls = {
        "Check": grpc.unary_unary_rpc_method_handler(check, read, write),
        "Watch": grpc.unary_stream_rpc_method_handler(watch, read, write),
    }
    return grpc.method_handlers_generic_handler("grpc.health.v1.Health", calls)
