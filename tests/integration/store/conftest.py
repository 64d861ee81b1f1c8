"""A real object store: the store image's own entry point on loopback, one for the whole run."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from modelyard.contract.store import StoreConfig
from modelyard_kit.objects import OBJECT_ERRORS, open_bucket
from modelyard_kit.store import Store

KEY, SECRET = "test-access-key", "test-secret-key"
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def store_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`http://127.0.0.1:<port>` of a SeaweedFS with the buckets `modelyard` and `lake`."""
    folder = tmp_path_factory.mktemp("store")
    first = _free_ports(4)
    port = first + 3
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "images/store"),
        "DATA": str(folder),
        "SCRATCH": str(folder),
        "PORT": str(port),
        "MASTER_PORT": str(first),
        "BUCKETS": "modelyard lake",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "modelyard_store"]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True)
        try:
            _wait(server, f"http://127.0.0.1:{port}", folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):  # it did not start
                os.killpg(server.pid, signal.SIGKILL)  # its data is thrown away: no need to wait for an orderly end
            server.wait(30)


@pytest.fixture
def store(store_endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Store:
    """A store of the test's own: a prefix of the bucket, with credentials in the environment as in a pod."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    prefix = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    return Store(StoreConfig(uri=f"s3://modelyard/{prefix}", endpoint=store_endpoint))


def _wait(server: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    """Until the last bucket can be listed."""
    bucket = open_bucket("s3://lake", endpoint, None, KEY, SECRET)
    deadline = time.monotonic() + 60
    while True:
        try:
            bucket.list().collect()
            return
        except OBJECT_ERRORS as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the store did not start:\n{log.read_text()[-2000:]}") from error
        time.sleep(0.1)


def _free_ports(several: int) -> int:
    """The first of some free ports in a row, also free 10,000 above, where SeaweedFS puts its gRPC.

    All lie below the ports that Linux gives to outgoing connections: those of a test beside this one would take them.
    """
    while True:
        first = random.randrange(12_000, 22_000)  # noqa: S311 - no secret
        if all(_is_free(port + offset) for port in range(first, first + several) for offset in (0, 10_000)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
