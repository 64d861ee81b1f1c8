"""What bring-your-container.md shows, run as a pod would: the model is fetched, then the container starts."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from modelyard.contract.tasks import ServeTask
from tests.unit.docs.documents import ROOT
from tests.unit.serving_image.test_process import PACKAGES, REPOSITORY

HOW_TO = ROOT / "docs" / "how-to" / "bring-your-container.md"
PATIENCE = 120.0  # seconds


async def fetched(folder: Path, task: ServeTask) -> None:
    """What the init container does."""
    for name in ("ml/model", "program", "tmp", "app"):
        (folder / name).mkdir(parents=True)
    (folder / "fetch.json").write_text(task.canonical())
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(REPOSITORY / package) for package in PACKAGES),
        "MODELYARD_TASK": str(folder / "fetch.json"),
        "MODELYARD_RESULT": str(folder / "fetch-result.json"),
        "MODELYARD_MODEL": str(folder / "ml" / "model"),
        "MODELYARD_PROGRAM": str(folder / "program"),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "modelyard_serving.fetch", env=environment)
    assert await process.wait() == 0
    (folder / "ml" / "model").chmod(0o555)


@asynccontextmanager
async def container(
    folder: Path, command: list[str], environment: Mapping[str, str], port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The container's first process, which answers /ping. It has a group of its own, so that nothing of it is left."""
    log = (folder / "container.log").open("ab")
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder / "app",
        env={
            **environment,
            "HOME": str(folder / "tmp"),
            "TMPDIR": str(folder / "tmp"),
            "SAGEMAKER_BIND_TO_PORT": str(port),
        },
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        await _pings(process, port)
        yield process
    finally:
        log.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _pings(process: asyncio.subprocess.Process, port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE):
        while process.returncode is None:
            try:
                if (await client.get(f"http://127.0.0.1:{port}/ping", timeout=2)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)
    raise AssertionError("the container ended: see its container.log")
