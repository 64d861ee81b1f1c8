"""Unmodified clients talk to a real server on a real socket, and see what they would see of their own servers."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests import environment
from tests.unit.serving_image import calls, models
from tests.unit.serving_image.models import Endpoint

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # the first one installs them


@pytest.fixture(scope="module")
def python() -> Path:
    return environment.python("clients")


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Endpoint]:
    where = models.place(tmp_path)
    digest = models.publish(where, "classification", form="onnx")
    async with models.endpoint(where, where.task(digest), models.load(where, digest)) as found:
        yield found


@pytest_asyncio.fixture
async def port(served: Endpoint) -> AsyncIterator[int]:
    async with models.listening(served.app) as found:
        yield found


@pytest_asyncio.fixture
async def grpc_port(served: Endpoint) -> AsyncIterator[int]:
    async with calls.listening(served.serving) as (found, _):
        yield found


async def seen_by(python: Path, program: str, port: int) -> Any:
    command = [str(python), "-W", "ignore", str(Path(__file__).with_name(program)), str(port)]
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out.splitlines()[-1])


TOLD_TO_BOTO3 = {
    "body": "low\nhigh\n",
    "type": "text/csv",
    "variant": "r1",
    "id": "mine",
    "another endpoint": 404,
    "too few values": 400,
}


async def test_boto3_invokes_an_endpoint_and_is_told_variant_and_errors(python: Path, port: int) -> None:
    assert await seen_by(python, "sagemaker_program.py", port) == TOLD_TO_BOTO3


async def test_tritons_client_asks_in_bytes_and_in_json(python: Path, port: int) -> None:
    seen = await seen_by(python, "triton_program.py", port)
    assert seen["ready"] == [True, True, True]
    assert (seen["server"], seen["inputs"]) == ("modelyard", ["price", "region", "hour"])
    assert seen["binary"] == seen["json"] == {"id": "mine", "predict": ["low", "high"], "type": "float64"}
    assert seen["rows"] == 4
    assert "hour" in seen["refused"]


async def test_kserves_client_asks_by_both_of_its_protocols(python: Path, port: int) -> None:
    seen = await seen_by(python, "kserve_program.py", port)
    assert seen["v2"] == {"ready": [True, True, True], "id": "mine", "predict": ["low", "high"]}
    attributions = {"price": -0.5, "region": 0.0, "hour": 0.0}  # of high
    assert seen["v1"] == {"ready": True, "predictions": ["low"], "attributions": attributions}


async def test_schemathesis_finds_no_request_that_is_answered_otherwise_than_documented(
    python: Path, port: int
) -> None:
    here = Path(__file__).parent
    command = ["-m", "schemathesis.cli", "--config-file", str(here / "schemathesis.toml"), "run", "--seed=1"]
    process = await asyncio.create_subprocess_exec(
        str(python),
        *[*command, "--no-color", "--max-examples=50", f"http://127.0.0.1:{port}/openapi.json"],
        env={**os.environ, "PYTHONPATH": str(here), "SCHEMATHESIS_HOOKS": "schema_program"},
        stdout=-1,
        stderr=-2,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def test_tritons_grpc_client_gets_the_same_answers(python: Path, grpc_port: int) -> None:
    seen = await seen_by(python, "triton_grpc_program.py", grpc_port)
    assert seen["ready"] == [True, True, True]
    assert (seen["server"], seen["inputs"]) == ("modelyard", ["price", "region", "hour"])
    answer = {"id": "mine", "predict": ["low", "high"], "others": [["float64", [2]]]}
    assert seen["some"] == answer
    assert seen["all"] == {**answer, "others": [["float64", [2]], ["float64", [2, 2]]]}
    assert seen["too few tensors"].startswith("StatusCode.INVALID_ARGUMENT: column 'hour' is missing")
    assert seen["another model"].startswith("StatusCode.NOT_FOUND: model 'other' is not served here")


async def test_kserves_grpc_client_asks_in_bytes_and_in_typed_contents(python: Path, grpc_port: int) -> None:
    seen = await seen_by(python, "kserve_grpc_program.py", grpc_port)
    assert seen["ready"] == [True, True, True]
    assert seen["bytes"] == seen["contents"] == seen["both"] == {"id": "mine", "predict": ["low", "high"]}
