"""Servers on one core and their client on another, and what the servers' whole process tree has used."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.operator.usage import usage
from tests.bench.serving.load import Load
from tests.bench.serving.request import Request
from tests.cluster.waiting import answers, until

ROOT = Path(__file__).parents[3]
PARTS = ("operator", "images/base", "images/dataset", "images/training", "images/serving", "images/drift", ".")
SERVER_CORE, CLIENT_CORE = "0", "1"
_SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class NothingMeasuredError(Exception):
    """What was to be measured did not happen, or not all of it."""


@dataclass(frozen=True)
class Server:
    """`ready_s`: from the start of the process until it says that it is ready. `management`: ours has such a port."""

    pid: int
    port: int
    ready_s: float
    management: int = 0

    def cpu_s(self) -> float:
        return sum(usage(pid).cpu_s for pid in tree(self.pid))

    def pss_mb(self) -> float:
        return sum(usage(pid).pss_mb for pid in tree(self.pid))


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


@contextmanager
def serving(arguments: list[str], port: int, ready: str, log: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Runs `python <arguments>` until the end of the block; `ready` is the path that answers 200 then."""
    path = os.pathsep.join(str(ROOT / part) for part in PARTS)
    given = {"PYTHONPATH": path, **environment}
    with running([sys.executable, *arguments], port, lambda: answers(port, ready), log, given) as server:
        yield server


@contextmanager
def running(
    command: list[str], port: int, ready: Callable[[], bool], log: Path, environment: Mapping[str, str]
) -> Iterator[Server]:
    """Runs a server on its core until the end of the block. Raises ClusterError where it does not get ready."""
    begun = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *command],
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env={**os.environ, **_SINGLE, **environment},
        )
    try:
        until(ready, f"{Path(command[-1]).name} is ready", 120, lambda: _ended(process, log), 0.02)
        yield Server(process.pid, port, time.perf_counter() - begun)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """With its descendants, of which some servers forget a few."""
    pids = tree(process.pid)
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in pids[1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def load(port: int, request: Request, connections: int, seconds: float, rate: float | None = None) -> Load:
    command = ["taskset", "-c", CLIENT_CORE, sys.executable, "-m", "tests.bench.serving.load"]
    sent = [str(port), request.path, str(request.body), json.dumps(request.complete)]
    given = [*sent, str(connections), str(seconds), *([str(rate)] if rate else [])]
    done = subprocess.run([*command, *given], cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=seconds + 60)
    return Load(**json.loads(done.stdout))


def cost(
    server: Server, request: Request, seconds: float, connections: int = 32, settle: float = 0.0
) -> tuple[float, int]:
    """CPU-µs for a request, and how many failed. What is done in the `settle` seconds behind the load counts. Raises
    NothingMeasuredError where the load was too short for the kernel's clock."""
    before = server.cpu_s()
    made = load(server.port, request, connections, seconds)
    time.sleep(settle)
    used = server.cpu_s() - before
    if used <= 0:
        raise NothingMeasuredError(f"{made.requests} requests took no tick of CPU: raise SECONDS_PER_ROW")
    return 1e6 * used / made.requests, made.errors


def _ended(process: "subprocess.Popen[bytes]", log: Path) -> str | None:
    return None if process.poll() is None else f"it ended:\n{log.read_text()[-2000:]}"
