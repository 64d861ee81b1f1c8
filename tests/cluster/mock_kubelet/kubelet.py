"""Plays every pod that the scheduler binds to the mock's nodes through its life, on the real API server.

Runs in a thread with a loop of its own, so that tests of either style can use it.
"""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from modelyard.plan.labels import NAME, ROLE, SELECTOR, TASK
from tests.cluster.mock_kubelet import node, statuses
from tests.cluster.mock_kubelet.answers import TASKS, well
from tests.cluster.mock_kubelet.connection import Connection
from tests.cluster.mock_kubelet.life import Ending, Script, Seen
from tests.cluster.mock_kubelet.management import Management, Traffic, healthy
from tests.cluster.mock_kubelet.statuses import Pod

OVER = ("Succeeded", "Failed")
_MERGE = "application/strategic-merge-patch+json"
_TERMINATED = Ending(143)


@dataclass(frozen=True)
class Timings:
    """Seconds that a pod takes to start, to get ready (servers), to run (tasks), and to stop when it is deleted."""

    start: float = 0.05
    ready: float = 0.1
    run: float = 0.3
    stop: float = 0.05


class MockKubelet:
    """`with MockKubelet(plane.kubeconfig): ...`. What failed inside is raised at the end of the context.

    `script` says what becomes of each pod and `traffic` what servers count; both are asked in the mock's thread.
    """

    def __init__(
        self,
        kubeconfig: Path,
        *,
        nodes: int = 1,
        script: Script = well,
        traffic: Traffic = healthy,
        timings: Timings = Timings(),
    ) -> None:
        self._kubeconfig = kubeconfig
        self._nodes = [f"mock-{number}" for number in range(nodes)]
        self._script = script
        self._traffic = traffic
        self._timings = timings
        self._thread = threading.Thread(target=self._run, name="mock-kubelet", daemon=True)
        self._registered = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> "MockKubelet":
        self._thread.start()
        self._registered.wait()
        if self._error:
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop and self._stop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._error = error
        finally:
            self._registered.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        management = Management(self._traffic)
        await management.start()
        try:
            async with Connection.opened(self._kubeconfig) as connection:
                await node.register(connection, self._nodes)
                pods = Pods(connection, management, self._script, self._timings)
                async with asyncio.TaskGroup() as tasks:
                    alive = tasks.create_task(node.stay_alive(connection, self._nodes))
                    watched = tasks.create_task(pods.watch(tasks))
                    self._registered.set()
                    await self._stop.wait()
                    alive.cancel()
                    watched.cancel()
                    pods.end()
                await node.remove(connection, self._nodes)
        finally:
            await management.stop()


class Pods:
    """One task per pod; a new state of a pod that is being deleted replaces its life by its end."""

    def __init__(self, connection: Connection, management: Management, script: Script, timings: Timings) -> None:
        self._connection = connection
        self._management = management
        self._script = script
        self._timings = timings
        self._lives: dict[str, asyncio.Task[None]] = {}  # by uid
        self._ending: set[str] = set()
        self._over: set[str] = set()

    async def watch(self, tasks: asyncio.TaskGroup) -> None:
        bound = {"fieldSelector": "spec.nodeName!=", "labelSelector": SELECTOR}
        async for type_, pod in self._connection.watch("/api/v1/pods", **bound):
            uid = pod["metadata"]["uid"]
            if type_ == "DELETED":
                if life := self._lives.pop(uid, None):
                    life.cancel()
                self._ending.discard(uid)
                self._over.discard(uid)
            elif "deletionTimestamp" in pod["metadata"]:
                if uid not in self._ending:
                    self._ending.add(uid)
                    self._begin(tasks, uid, self._terminate(pod, self._lives.get(uid)))
            elif uid not in self._lives and pod["status"].get("phase") not in OVER:
                self._begin(tasks, uid, self._live(pod))

    def end(self) -> None:
        for life in self._lives.values():
            life.cancel()

    def _begin(self, tasks: asyncio.TaskGroup, uid: str, work: Coroutine[Any, Any, None]) -> None:
        self._lives[uid] = tasks.create_task(work)

    async def _live(self, pod: Pod) -> None:
        seen = await self._mounted(pod)
        life = self._script(seen)
        if life.hindrance:
            await self._write(pod, statuses.waiting(pod, life.hindrance))
            await (_forever() if life.hindrance.seconds is None else asyncio.sleep(life.hindrance.seconds))
        await asyncio.sleep(self._timings.start)
        started = statuses.now()
        serves = seen.role == "server"
        address = await self._management.open(seen)
        try:
            await self._write(pod, statuses.running(pod, address, started, ready=not serves))
            if serves and life.ready and life.ending is None:
                await asyncio.sleep(self._timings.ready)
                await self._write(pod, statuses.running(pod, address, started, ready=True))
            if life.ending is None:
                await _forever()
            await asyncio.sleep(self._timings.run if life.runs is None else life.runs)
        finally:
            await self._management.close(address)
        if serves:
            await self._write(pod, statuses.crash_looping(pod, started, life.ending))
        else:
            await self._end(pod, started, life.ending)

    async def _terminate(self, pod: Pod, life: asyncio.Task[None] | None) -> None:
        """As after SIGTERM; the Job controller counts a pod only once it says how it ended."""
        if life:
            life.cancel()
            await asyncio.wait({life})
        await asyncio.sleep(self._timings.stop)
        if pod["metadata"]["uid"] not in self._over and pod["status"].get("phase") not in OVER:
            await self._end(pod, pod["status"].get("startTime") or statuses.now(), _TERMINATED)
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        await self._connection.call("DELETE", _path(pod), options)

    async def _end(self, pod: Pod, started: str, ending: Ending) -> None:
        self._over.add(pod["metadata"]["uid"])
        await self._write(pod, statuses.ended(pod, started, ending))

    async def _mounted(self, pod: Pod) -> Seen:
        """Waits, as kubelet does, until all that the pod mounts is there."""
        config: dict[str, Any] = {}
        for volume in pod["spec"].get("volumes", []):
            for kind, source, name in (("configmaps", "configMap", "name"), ("secrets", "secret", "secretName")):
                if source in volume:
                    found = await self._there(pod, kind, volume[source][name])
                    config = found if volume["name"] == "task" else config
        labels = pod["metadata"]["labels"]
        role, job = labels[ROLE], labels.get("batch.kubernetes.io/job-name", "")
        carried = pod["metadata"].get("annotations", {}).get(TASK) or config["data"]["task.json"]
        task = TASKS[role].model_validate_json(carried)
        return Seen(pod["metadata"]["namespace"], labels[NAME], role, _number(role, job), job, task)

    async def _there(self, pod: Pod, kind: str, name: str) -> dict[str, Any]:
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/{kind}/{name}"
        while True:
            code, found = await self._connection.call("GET", path)
            if code == 200:
                return found
            await asyncio.sleep(1)

    async def _write(self, pod: Pod, status: dict[str, Any]) -> None:
        """A pod that is gone, or another one of its name, is nobody's any more."""
        patch = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        await self._connection.call("PATCH", f"{_path(pod)}/status", patch, _MERGE)


def _path(pod: Pod) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _number(role: str, job: str) -> int:
    """`<name>-build-<number>-<hash>`, `<name>-<hash>-<attempt>`, `<name>-gate-<hash>-<attempt>`."""
    place = {"build": -2, "attempt": -1, "gate": -1}.get(role)
    return int(job.split("-")[place]) if place else 0


async def _forever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")
