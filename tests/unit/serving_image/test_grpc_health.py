"""Readiness over gRPC: what probes, balancers and clients are told while a server loads, serves and drains."""

import asyncio
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from modelyard_serving import inference_pb2 as pb
from modelyard_serving import rpc
from modelyard_serving.serving import Serving
from tests.unit.serving_image.calls import Calls, calling, connected, listening, request, values
from tests.unit.serving_image.models import Endpoint, Place

ONE: dict[str, list[Any]] = {"price": [3.5], "region": ["north"], "hour": [1]}
Status = health_pb2.HealthCheckResponse


def call(calls: Calls, name: str, service: str) -> Any:
    make = calls.channel.unary_unary if name == "Check" else calls.channel.unary_stream
    ask = make(
        f"/grpc.health.v1.Health/{name}",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=Status.FromString,
    )
    return ask(health_pb2.HealthCheckRequest(service=service), timeout=10)


async def test_a_server_that_loads_is_alive_and_not_ready(where: Place, digest: str) -> None:
    async with httpx.AsyncClient() as forwarding:
        serving = Serving(where.task(digest), forwarding)
        async with calling(serving) as calls:
            assert (await calls.ask("ServerLive")).live
            assert not (await calls.ask("ServerReady")).ready
            assert not (await calls.ask("ModelReady", pb.ModelReadyRequest(name="demo"))).ready
            assert (await call(calls, "Check", "")).status == Status.NOT_SERVING
            for name, message in (
                ("ModelInfer", request(ONE)),
                ("ModelMetadata", pb.ModelMetadataRequest(name="demo")),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await calls.ask(name, message)
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
                assert "not ready" in str(caught.value.details())


async def test_a_draining_server_still_answers_and_says_that_it_is_not_ready(served: Endpoint) -> None:
    async with calling(served.serving) as calls:
        assert (await call(calls, "Check", rpc.SERVICE)).status == Status.SERVING
        served.serving.draining = True
        assert values(await calls.infer(request(ONE)))["predict"] == ["low"]
        assert not (await calls.ask("ServerReady")).ready
        assert not (await calls.ask("ModelReady", pb.ModelReadyRequest(name="demo"))).ready
        for service in ("", rpc.SERVICE):
            assert (await call(calls, "Check", service)).status == Status.NOT_SERVING


async def test_who_watches_is_told_changes_and_does_not_keep_a_server_from_ending(served: Endpoint) -> None:
    async with listening(served.serving) as (port, server), connected(port) as calls:
        watch = call(calls, "Watch", rpc.SERVICE)
        assert (await watch.read()).status == Status.SERVING
        served.serving.draining = True
        assert (await watch.read()).status == Status.NOT_SERVING
        await asyncio.wait_for(server.stop(10), 3)


async def test_other_names_are_unknown(served: Endpoint) -> None:
    async with calling(served.serving) as calls:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(calls, "Check", "other")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert (await call(calls, "Watch", "other").read()).status == Status.SERVICE_UNKNOWN
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await calls.ask("ModelReady", pb.ModelReadyRequest(name="other"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
