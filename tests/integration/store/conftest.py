"""A real object store: the store image's own entry point on loopback, one for the whole run."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
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
    port, first = _free_port(), _free_port()
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


def _free_port() -> int:
    """Free here and 10,000 above, where SeaweedFS puts the gRPC port."""
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            if port > 55_000:
                continue
            try:
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port
