"""Clients in several threads of one test open the same kubeconfig at once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster.credentials import Credentials
from tests.cluster.mock_kubelet.connection import Connection

_THREADS = 8
_ROUNDS = 20


async def opened(kubeconfig: Path) -> None:
    async with Connection.opened(kubeconfig):
        pass


def test_threads_open_one_kubeconfig_at_once(tmp_path: Path) -> None:
    """The client library keeps a certificate's file by its content, so each round needs another content."""
    credentials = Credentials(tmp_path)
    credentials.make_authority()
    credentials.issue("reader", "reader")
    with ThreadPoolExecutor(_THREADS) as threads:
        for turn in range(_ROUNDS):
            for file in (credentials.ca, credentials.certificate("reader"), credentials.key("reader")):
                file.write_text(f"{file.read_text()}{turn}\n")
            kubeconfig = credentials.kubeconfig("reader", "https://127.0.0.1:1", tmp_path / "kubeconfig")
            for result in [threads.submit(asyncio.run, opened(kubeconfig)) for _ in range(_THREADS)]:
                result.result()
