"""Replicas of the operator as processes: killed when they lead, and started again whenever they have ended."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.cluster.waiting import free_ports

ROOT = Path(__file__).parents[2]
NAMESPACE = "default"  # of the lease
PAUSE = 2.0  # seconds until an ended process is started again, as kubelet would


class Replica:
    """One place of the Deployment. After a kill its container restarts, or, every other time, another pod replaces it:
    the restarted one finds its own name in the lease and leads on, the replaced one leaves that to the other replica.
    """

    def __init__(self, number: int, kubeconfig: Path, directory: Path) -> None:
        self._number, self._kubeconfig, self._directory = number, kubeconfig, directory
        self._pods = 0
        self._ended_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0
        self.ends = 0  # by itself: a lease that it could not renew
        self.log = directory / f"operator-{number}.log"

    @property
    def name(self) -> str:
        return f"operator-{self._number}-{self._pods}"

    def start(self) -> None:
        (port,) = free_ports(1)
        config = self._directory / f"operator-{self._number}.json"
        lease = {"namespace": NAMESPACE, "name": "modelyard"}
        config.write_text(json.dumps({"healthPort": port, "lease": lease, "pollSeconds": 1, "resyncSeconds": 120}))
        environment = {
            **os.environ,
            "KUBECONFIG": str(self._kubeconfig),
            "POD_NAME": self.name,
            "PYTHONPATH": str(ROOT / "operator"),
        }
        command = [sys.executable, "-m", "modelyard", "run", "--config", str(config), "--log-level", "warning"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log)

    def kill(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            self.kills += 1
            self._pods += self.kills % 2
            self._ended_at = time.monotonic()

    def keep(self) -> None:
        """Starts it again a while after its end."""
        if self._process and self._process.poll() is None:
            return
        if not self._ended_at:
            self.ends += 1
            self._ended_at = time.monotonic()
        if time.monotonic() - self._ended_at >= PAUSE:
            self._ended_at = 0.0
            self.start()

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
