"""The operator of one namespace, as often as it is started: killed at each of the given points, and begun anew."""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Lock
from typing import Any

from tests.integration.crash.process import READY, WRITES, Point, operate

# Children of a small process that has imported everything: they start in a fraction of a second.
_processes = multiprocessing.get_context("forkserver")
_LATE = ("kubernetes.aio.client", "kubernetes.aio.config", "kubernetes.aio.dynamic")  # imported at the first use
_processes.set_forkserver_preload([operate.__module__, *_LATE])
# A start asks after all children that have ended: beside a join of one, one of both reads no exit code, and says 255.
_one_at_a_time = Lock()


class Incarnations:
    def __init__(self, kubeconfig: Path, namespace: str, points: Iterable[Point]) -> None:
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self._points: Iterator[Point] = iter(points)
        self._shared: list[Any] = []

    @property
    def writes(self) -> int:
        """Of all of them."""
        return sum(shared[WRITES] for shared in self._shared)

    @property
    def kills(self) -> int:
        return max(0, len(self._shared) - 1)

    @property
    def ready(self) -> bool:
        """The present one has seen the cluster."""
        return bool(self._shared and self._shared[-1][READY])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raises AssertionError when one ends otherwise than by its own SIGKILL."""
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._keep())
            yield
            keeping.cancel()

    async def _keep(self) -> None:
        while True:
            shared = _processes.RawArray("i", 2)
            arguments = (self._kubeconfig, self._namespace, next(self._points, None), shared)
            process = _processes.Process(target=operate, args=arguments, daemon=True)
            await asyncio.to_thread(_start, process)  # the first one waits for the imports
            self._shared.append(shared)
            try:
                await _ended(process.sentinel)
            finally:
                code = _end(process)
            assert code == -signal.SIGKILL, f"the operator ended by itself, with exit code {code}"


def _start(process: ForkServerProcess) -> None:
    with _one_at_a_time:
        process.start()


def _end(process: ForkServerProcess) -> int | None:
    with _one_at_a_time:
        process.kill()
        process.join()
        code = process.exitcode
        process.close()
    return code


async def _ended(sentinel: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(sentinel)
