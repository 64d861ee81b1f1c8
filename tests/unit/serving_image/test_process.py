"""The real process: `python -m modelyard_serving` loads from a store, serves, drains on SIGTERM, and says why not."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from modelyard.contract.capture import PREDICTION
from modelyard.contract.results import FailureResult, parse_result
from modelyard.contract.store import blob, captures, labels
from modelyard.contract.tasks import ServeTask
from modelyard_serving.lifecycle import run
from tests.cluster.waiting import free_ports
from tests.unit.serving_image import models
from tests.unit.serving_image.calls import Calls, connected, request, values
from tests.unit.serving_image.models import v2_body
from tests.unit.serving_image.test_capture import read

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGES = ("operator", "images/base", "images/serving")
DRAIN_SECONDS = 1
PATIENCE = 150.0  # seconds: machines that run tests are busy
INFER = "/v2/models/demo/infer"


def row(price: float, **more: Any) -> dict[str, Any]:
    return v2_body({"price": [price], "region": ["north"], "hour": [1]}, **more)


@dataclass(frozen=True)
class Running:
    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    management: httpx.AsyncClient
    grpc_port: int

    async def ready(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.process.returncode is None:
                try:
                    if (await self.client.get("/v2/health/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        pytest.fail("the server ended before it was ready")


@asynccontextmanager
async def started(folder: Path, task: ServeTask) -> AsyncIterator[Running]:
    (folder / "task.json").write_text(task.canonical())
    ports = free_ports(3)
    environment = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            [*(str(REPOSITORY / package) for package in PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        "MODELYARD_TASK": str(folder / "task.json"),
        "MODELYARD_RESULT": str(folder / "result.json"),
        "MODELYARD_SERVING_PORT": str(ports[0]),
        "MODELYARD_MANAGEMENT_PORT": str(ports[1]),
        "MODELYARD_GRPC_PORT": str(ports[2]),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "modelyard_serving", env=environment)
    urls = [f"http://127.0.0.1:{port}" for port in ports[:2]]
    try:
        async with (
            httpx.AsyncClient(base_url=urls[0], timeout=PATIENCE) as client,
            httpx.AsyncClient(base_url=urls[1], timeout=PATIENCE) as management,
        ):
            yield Running(process, client, management, ports[2])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_server_loads_serves_drains_and_leaves_nothing_behind(tmp_path: Path) -> None:
    where = models.place(tmp_path)
    digest = models.publish(where, "classification")
    async with started(tmp_path, where.task(digest, drain_seconds=DRAIN_SECONDS)) as server:
        await server.ready()
        assert (await server.management.get("/progress")).json()["stage"] == "Serving"
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.grpc_port)  # nobody has asked for gRPC
        answered = [f"before-{number}" for number in range(5)]
        for identity in answered:
            answer = await server.client.post(INFER, json=row(3.5, id=identity))
            assert answer.json()["outputs"][0]["data"] == ["low"]
        await server.client.post("/v2/models/demo/feedback", json={"inference_id": "before-0", "label": "low"})
        answered += await _call_until_gone(server)
        assert await asyncio.wait_for(server.process.wait(), 28) == 0
    rows = read(where, captures("shop", "demo"))
    assert sorted(item["inference_id"] for item in rows) == sorted(answered)
    assert {item[PREDICTION] for item in rows} == {"low"}
    assert [item["inference_id"] for item in read(where, labels("shop", "demo"))] == ["before-0"]


async def _call_until_gone(server: Running) -> list[str]:
    """Stops it. The ids of requests answered while it drains: none may fail before its drain time is over."""
    answered: list[str] = []
    stopped = time.monotonic()  # before the signal, from which the server counts
    server.process.send_signal(signal.SIGTERM)
    while True:
        identity = f"drain-{len(answered)}"
        try:
            answer = await server.client.post(INFER, json=row(3.5, id=identity))
        except httpx.TransportError:
            break
        assert answer.status_code == 200
        answered.append(identity)
        await asyncio.sleep(0.02)
    assert time.monotonic() - stopped >= DRAIN_SECONDS
    assert answered
    assert answer.headers["connection"] == "close"
    return answered


async def test_grpc_is_served_where_it_is_asked_for_and_drains_as_http_does(tmp_path: Path) -> None:
    where = models.place(tmp_path)
    task = where.task(models.publish(where, "classification"), drain_seconds=DRAIN_SECONDS, grpc=True)
    async with started(tmp_path, task) as server, connected(server.grpc_port) as calls:
        await server.ready()
        assert (await calls.ask("ServerReady")).ready
        stopped = time.monotonic()  # before the signal, from which the server counts
        server.process.send_signal(signal.SIGTERM)
        answered, code = await _infer_until_gone(calls)
        assert time.monotonic() - stopped >= DRAIN_SECONDS
        # A call that comes while gRPC's server closes is cancelled by it, unseen by us.
        assert code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        assert await asyncio.wait_for(server.process.wait(), 28) == 0
    assert len(read(where, captures("shop", "demo"))) == answered


async def _infer_until_gone(calls: Calls) -> tuple[int, grpc.StatusCode]:
    """How many calls are answered, and why the next one is not."""
    answered = 0
    while True:
        try:
            answer = await calls.infer(request({"price": [3.5], "region": ["north"], "hour": [1]}))
        except grpc.aio.AioRpcError as error:
            return answered, error.code()
        assert values(answer)["predict"] == ["low"]
        answered += 1
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("harm", ["damage", "remove"])
async def test_a_model_that_cannot_be_read_ends_the_process_with_the_reason(tmp_path: Path, harm: str) -> None:
    where = models.place(tmp_path)
    digest = models.publish(where, "classification")
    manifest = where.folder / "store" / f"models/shop/demo-job/{digest.removeprefix('sha256:')}.json"
    content = json.loads(manifest.read_text())
    if harm == "damage":
        path = where.folder / "store" / blob(content["files"][0]["digest"])
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    else:
        manifest.unlink()
    async with started(tmp_path, where.task(digest)) as server:
        assert await asyncio.wait_for(server.process.wait(), PATIENCE) == 1
    result = parse_result((tmp_path / "result.json").read_text())
    assert isinstance(result, FailureResult)
    assert (result.reason, result.blame) == ("Corrupt", "world")


async def test_a_model_of_types_nobody_trusts_ends_the_server_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: another one would import scikit-learn for seconds before it refused."""
    monkeypatch.setenv("MODELYARD_RESULT", str(tmp_path / "result.json"))
    where = models.place(tmp_path)
    digest = models.publish(where, "classification", trusted=[])
    assert await asyncio.wait_for(run(where.task(digest), *free_ports(2)), PATIENCE) == 1
    result = parse_result((tmp_path / "result.json").read_text())
    assert isinstance(result, FailureResult)
    assert (result.reason, result.blame) == ("UnsafeModel", "user")


async def test_a_stop_while_loading_ends_at_once(tmp_path: Path) -> None:
    where = models.place(tmp_path)
    silent = socket.create_server(("127.0.0.1", 0))  # a store that never answers
    task = where.task("sha256:1")
    store = task.store.model_copy(
        update={"uri": "s3://modelyard", "endpoint": f"http://127.0.0.1:{silent.getsockname()[1]}"}
    )
    with silent:
        async with started(tmp_path, task.model_copy(update={"store": store})) as server:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        if (await server.client.get("/v2/health/live")).status_code == 200:
                            break
                    except httpx.TransportError:
                        await asyncio.sleep(0.05)
            assert (await server.client.get("/v2/health/ready")).status_code == 503
            server.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(server.process.wait(), 10) == 0


async def test_a_pickle_is_served_where_it_is_allowed_and_refused_where_not(tmp_path: Path) -> None:
    where = models.place(tmp_path)
    digest = models.publish(where, "classification", form="pickle")
    async with started(tmp_path, where.task(digest, allow_unsafe=True)) as running:
        await running.ready()
        answer = await running.client.post(INFER, json=row(3.5))
        assert answer.json()["outputs"][0]["data"] == ["low"]
    async with started(tmp_path, where.task(digest)) as running:
        async with asyncio.timeout(PATIENCE):
            assert await running.process.wait() == 1
    told = parse_result((tmp_path / "result.json").read_text())
    assert isinstance(told, FailureResult)
    assert told.reason == "UnsafeModel"
    assert "spec.allowUnsafeFormats" in told.message
