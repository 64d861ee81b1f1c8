"""Sees every state that objects of some kinds ever have, by watches of its own."""

import asyncio
import contextlib
import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from modelyard.runtime.resources import EVENT, WATCHED
from tests.cluster.mock_kubelet.connection import Connection

Object = dict[str, Any]


class Witness:
    """`with Witness(kubeconfig) as witness: ... witness.states`: all states so far, of all namespaces."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self.states: list[Object] = []
        self._loop = asyncio.new_event_loop()
        self._error: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)

    def of(self, *kinds: str) -> list[Object]:
        return [state for state in self.states if state["kind"] in kinds]

    def __enter__(self) -> "Witness":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._loop.close()
        if self._error:
            raise self._error

    def _run(self) -> None:
        self._task = self._loop.create_task(self._watch_all())
        try:
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        except Exception as found:
            self._error = found

    async def _watch_all(self) -> None:
        async with Connection.opened(self._kubeconfig) as connection, asyncio.TaskGroup() as tasks:
            for resource in (*WATCHED, EVENT):
                tasks.create_task(self._watch(connection, resource.kind, resource.path(None)))

    async def _watch(self, connection: Connection, kind: str, path: str) -> None:
        async for _, found in connection.watch(path):
            self.states.append({**found, "kind": kind})


def text(objects: list[Object]) -> str:
    return json.dumps(objects, ensure_ascii=False)
