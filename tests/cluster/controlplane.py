"""etcd and the API server alone, without root, for integration tests: up in about 3 seconds.

Optionally with the controllers (Jobs, Deployments, garbage collection) and the scheduler; there is no kubelet.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.cluster import build, components
from tests.cluster.api import Api
from tests.cluster.components import ControlPlaneSettings
from tests.cluster.credentials import Credentials
from tests.cluster.paths import cache_dir
from tests.cluster.process import Processes, Record
from tests.cluster.waiting import free_ports, until


class ControlPlane:
    """A control plane of its own: `with ControlPlane() as plane: ... plane.kubeconfig`.

    What else is started in `processes` ends with it.
    """

    def __init__(self, *, controllers: bool = False, scheduler: bool = False, audited: str = "") -> None:
        """`audited`: the group of users whose requests are written to `audit_log`, one JSON object a line."""
        self.controllers, self.scheduler = controllers, scheduler
        self.program = build.program("kubernetes")
        self.kubectl = build.program("kubernetes", "kubectl")
        clear_abandoned()
        parent = _parent()
        parent.mkdir(parents=True, exist_ok=True)
        self.directory = Path(tempfile.mkdtemp(dir=parent))
        self.kubeconfig = self.directory / "kubeconfig"
        self.processes = Processes(self.directory)
        api, etcd, peer = free_ports(3)
        self.settings = ControlPlaneSettings(
            program=self.program, data=self.directory, credentials=Credentials(self.directory / "credentials"),
            bind="127.0.0.1", api_port=api, etcd_port=etcd, peer_port=peer, services="10.96.0.0/16",
            audit_policy=self._audit_policy(audited) if audited else None,
        )  # fmt: skip

    @property
    def url(self) -> str:
        return self.settings.api_url

    @property
    def api(self) -> Api:
        return Api(self.url, self.settings.credentials)

    def start(self) -> "ControlPlane":
        owner = Record.of(os.getpid())
        if owner:
            (self.directory / "owner.json").write_text(json.dumps(vars(owner)))
        made = self.settings.credentials
        components.issue_all(made, ["127.0.0.1", "10.96.0.1"])
        made.kubeconfig("admin", self.url, self.kubeconfig)
        self._start("etcd", components.etcd(self.settings))
        self._start("api-server", components.api_server(self.settings))
        self._wait(self.api.ready, "the API server")
        self._wait(self._default_namespace, "the default namespace")
        if self.controllers:
            self.start_controllers()
        if self.scheduler:
            self.start_scheduler()
        return self

    def start_controllers(self) -> None:
        """Also later: what has been put into etcd by then, they find all at once."""
        config = self.settings.credentials.kubeconfig(
            "controller-manager", self.url, self.directory / "controller-manager.kubeconfig"
        )
        (port,) = free_ports(1)
        self._start("controller-manager", components.controller_manager(self.settings, config, port))

    def start_scheduler(self) -> None:
        config = self.settings.credentials.kubeconfig("scheduler", self.url, self.directory / "scheduler.kubeconfig")
        (port,) = free_ports(1)
        self._start("scheduler", components.scheduler(self.settings, config, port))

    def stop(self) -> None:
        """Nothing is worth keeping, so nobody is asked to finish politely."""
        self.processes.stop(self.processes.recorded(), grace_s=0)
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self, component: str) -> str:
        return self.processes.tail(component, lines=200)

    def __enter__(self) -> "ControlPlane":
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def audit_log(self) -> Path:
        return self.settings.audit_log

    def _audit_policy(self, group: str) -> Path:
        rules = [{"level": "Metadata", "userGroups": [group]}, {"level": "None"}]
        head = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"]}
        path = self.directory / "audit-policy.json"
        path.write_text(json.dumps({**head, "rules": rules}))
        return path

    def _default_namespace(self) -> bool:
        return self.api.call("GET", "/api/v1/namespaces/default")[0] == 200

    def _start(self, name: str, command: list[str]) -> None:
        # a third less work to start; memory matters little to a process of minutes
        self.processes.start(name, command, env={**os.environ, "GOGC": "400"})

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        def trouble() -> str | None:
            ended = [name for name in ("etcd", "api-server") if not self.processes.alive(name)]
            return f"{ended[0]} ended:\n{self.log(ended[0])[-2000:]}" if ended else None

        until(done, what, 60, trouble, every_s=0.05)


def _parent() -> Path:
    return cache_dir() / "control-planes"


def clear_abandoned() -> None:
    """Those whose test run was killed; a folder without an owner is being made at this moment, or is old."""
    for directory in _parent().glob("*"):
        abandoned = False
        try:
            owner = Record(**json.loads((directory / "owner.json").read_text()))
            abandoned = not owner.alive
        except FileNotFoundError:
            with suppress(FileNotFoundError):  # another test run clears it at this moment
                abandoned = time.time() - directory.stat().st_mtime > 60
        except ValueError:
            continue
        if abandoned:
            left = Processes(directory)
            left.stop(left.recorded(), grace_s=0)
            shutil.rmtree(directory, ignore_errors=True)
