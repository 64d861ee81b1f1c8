"""The operator as a cluster runs it: its own process and service account, the chart's rights and configuration."""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from tests.bench.operator import install, metrics
from tests.bench.operator.client import Object
from tests.bench.operator.contender import NAMESPACE, REQUESTS, FailedError
from tests.bench.operator.usage import Usage, usage
from tests.cluster import build
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import answers, free_ports, until
from tests.unit.chart.rendering import NAMESPACE as SYSTEM
from tests.unit.chart.rendering import Helm, Rendered

OPERATOR = Path(__file__).parents[3] / "operator"
GROUP = f"/apis/modelyard.dev/v1alpha1/namespaces/{NAMESPACE}"
DIGEST = "sha256:" + "0123456789abcdef" * 4
_PROCESS = "operator"
_RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


class Ours:
    name = "modelyard"
    collection = f"{GROUP}/trainingjobs"
    processes = (_PROCESS,)

    def __init__(self) -> None:
        self.plane: ControlPlane
        self._config: Path
        self._kubeconfig: Path
        self._port = 0

    def start(self, plane: ControlPlane) -> None:
        self.plane = plane
        self._install()
        self.run()

    def _install(self) -> None:
        """CRDs, rights and configuration."""
        plane = self.plane
        chart = Helm(build.program("helm")).template({})
        for name in (NAMESPACE, SYSTEM):
            install.namespace(plane, name)
        rights = (document for kind in _RIGHTS for document in chart.of(kind))
        install.install(plane, [*map(definition, KINDS), *rights])
        self._kubeconfig = install.kubeconfig(plane, SYSTEM, _account(chart))
        self._config = plane.directory / "operator.json"
        (self._port,) = free_ports(1)
        self._config.write_text(json.dumps({**chart.operator_config(), "healthPort": self._port}))

    def run(self) -> float:
        """Starts the process; seconds until it is ready."""
        command = [sys.executable, "-m", "modelyard", "run", f"--config={self._config}"]
        environment = {
            **os.environ,
            "KUBECONFIG": str(self._kubeconfig),
            "PYTHONPATH": str(OPERATOR),
            "POD_NAMESPACE": SYSTEM,
            "POD_NAME": "modelyard-0",
        }
        begun = time.perf_counter()
        self.plane.processes.start(_PROCESS, command, env=environment)
        until(self._ready, "the operator is ready", 120, self._trouble, every_s=0.05)
        return time.perf_counter() - begun

    def stop(self) -> None:
        self.plane.processes.stop([_PROCESS], grace_s=15)

    def body(self, name: str) -> Object:
        return training_job(name, PINNED)

    def done(self, obj: Object) -> bool:
        status = obj.get("status", {})
        if status.get("phase") == "Failed":
            raise FailedError(f"TrainingJob {obj['metadata']['name']}: {status['conditions']}")
        return bool(status.get("phase") == "Succeeded")

    def usage(self) -> Usage:
        return usage(self.plane.processes.recorded()[_PROCESS].pid)

    def writes(self) -> Mapping[str, float]:
        return metrics.operator_writes(metrics.scrape(self._port))

    def queued(self) -> int:
        """Resources that wait to be reconciled."""
        return int(sum(metrics.samples(metrics.scrape(self._port), "workqueue_depth").values()))

    def settle(self, quiet_s: float = 3.0, patience_s: float = 600.0) -> Mapping[str, float]:
        """The writes, once there were none for a while. Raises TimeoutError if it never comes to rest."""
        end = time.monotonic() + patience_s
        before, since = self.writes(), time.monotonic()
        while time.monotonic() - since < quiet_s:
            if time.monotonic() > end:
                raise TimeoutError(f"the operator still writes after {patience_s:.0f} s: {before}")
            time.sleep(0.5)
            now = self.writes()
            if now != before:
                before, since = now, time.monotonic()
        return before

    def _ready(self) -> bool:
        return answers(self._port, "/readyz")

    def _trouble(self) -> str | None:
        return None if self.plane.processes.alive(_PROCESS) else f"it ended:\n{self.plane.log(_PROCESS)}"


PINNED = {"name": "data", "digest": DIGEST}  # a run that needs no Dataset
MISSING = {"name": "missing"}  # a run that waits for one


def training_job(name: str, dataset: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "TrainingJob",
        "metadata": {"name": name},
        "spec": {
            "datasetRef": dataset,
            "recipe": {"task": "classification"},
            "resources": {"requests": REQUESTS, "limits": {"memory": REQUESTS["memory"]}},
        },
    }


def _account(chart: Rendered) -> str:
    """Of the operator: the one that the ClusterRoleBinding names."""
    ((subject,),) = (binding["subjects"] for binding in chart.of("ClusterRoleBinding"))
    return str(subject["name"])
