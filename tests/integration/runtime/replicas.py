"""Replicas of the operator as processes, seen and ended from outside."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.waiting import free_ports, until

ROOT = Path(__file__).parents[3]
TEST_PLANNERS = ("-m", "tests.integration.runtime.replica")
PROGRAM = ("-m", "modelyard", "run", "--config")  # as the image starts it


class Replica:
    """Started at once. `environment` names e.g. a KUBECONFIG of its own, `settings` more of its configuration."""

    def __init__(
        self,
        name: str,
        namespace: str,
        folder: Path,
        command: tuple[str, ...] = TEST_PLANNERS,
        environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        (self.port,) = free_ports(1)
        self.name = name
        self.log = folder / f"{name}.log"
        config = folder / f"{name}.json"
        lease = {"namespace": namespace, "name": "modelyard"}
        config.write_text(json.dumps({"namespaces": [namespace], "lease": lease, "healthPort": self.port, **settings}))
        paths = {"POD_NAME": name, "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, str(config)],
                cwd=ROOT,
                env={**os.environ, **paths, **(environment or {})},
                stderr=log,
            )

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as answer:
            answer.close()
            return ""
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return ""

    def ready(self) -> bool:
        return self.page("/readyz") == "ok\n"

    def metric(self, name: str) -> float:
        """The sum of its samples."""
        lines = [line for line in self.page("/metrics").splitlines() if line.partition("{")[0].split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def leads(self) -> bool:
        return self.metric("modelyard_leader") == 1

    def writes(self) -> float:
        return self.metric("modelyard_api_writes_total")

    def stop(self) -> None:
        """As kubelet does, which waits for 30 s."""
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0, self.log.read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()


@contextmanager
def leading(replica: Replica) -> Iterator[Replica]:
    """Once it leads; ended with the context, whatever state it is in then."""
    try:
        until(replica.leads, f"{replica.name} leads", 120)
        yield replica
    finally:
        replica.end()


@contextmanager
def standing_by(replica: Replica) -> Iterator[Replica]:
    try:
        until(replica.ready, f"{replica.name} is ready", 120)
        yield replica
    finally:
        replica.end()
