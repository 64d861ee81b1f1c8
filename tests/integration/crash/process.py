"""One process of the operator that kills itself at a given write: by SIGKILL, so that nothing is tidied up."""

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from modelyard.plan import leftover
from modelyard.plan.kinds import PLANNERS
from modelyard.runtime.app import Operator
from modelyard.runtime.client import Client
from modelyard.runtime.config import Config, Runtime, parse

WRITES, READY = range(2)  # places in what a process shares with the harness


@dataclass(frozen=True)
class Point:
    """A process's n-th write: just before it is sent, or once the API server has taken it and nobody knows yet."""

    write: int
    sent: bool

    def __str__(self) -> str:
        return f"{'after' if self.sent else 'before'} write {self.write}"


class Dying(Client):
    """One write at a time, so that nothing else is on its way at the point."""

    def __init__(self, api: Any) -> None:
        super().__init__(api)
        self.point: Point | None = None
        self.shared: Any = [0, 0]
        self._one = asyncio.Lock()

    async def _write(self, verb: str, method: str, path: str, **params: Any) -> dict[str, Any]:
        async with self._one:
            self._die_at(Point(self.shared[WRITES] + 1, sent=False))
            answer = await super()._write(verb, method, path, **params)
            self.shared[WRITES] += 1
            self._die_at(Point(self.shared[WRITES], sent=True))
            return answer

    def _die_at(self, here: Point) -> None:
        if here == self.point:
            os.kill(os.getpid(), signal.SIGKILL)


def operate(kubeconfig: Path, namespace: str, point: Point | None, shared: Any) -> None:
    """The target of the process: the operator with the real planners, on one namespace."""
    os.environ["KUBECONFIG"] = str(kubeconfig)
    leftover.DRAIN = timedelta(seconds=1)  # here no client has connections to drain
    asyncio.run(_operate(namespace, point, shared))


async def _operate(namespace: str, point: Point | None, shared: Any) -> None:
    client = await Dying.connect()
    assert isinstance(client, Dying)
    client.point, client.shared = point, shared
    runtime = Runtime(namespaces=(namespace,), workers=4, poll_seconds=0.5)
    operator = Operator(client, Config(parse({}, "test").settings, runtime), PLANNERS, elect=False)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(operator.run())
        tasks.create_task(_tell_ready(operator, shared))


async def _tell_ready(operator: Operator, shared: Any) -> None:
    while not operator.ready:  # noqa: ASYNC110 - it offers no event
        await asyncio.sleep(0.05)
    shared[READY] = 1
