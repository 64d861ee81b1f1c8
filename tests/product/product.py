"""Installs modelyard on a cluster as a platform team would: images, then Helm."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import build
from tests.cluster.provider import Provider

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "modelyard"
RELEASE = "modelyard"
SYSTEM = "modelyard-system"
OPERATOR = f"{RELEASE}-operator"  # its Deployment and its ConfigMap


class ProductError(RuntimeError):
    """A command failed; the message is its own."""


def run(*command: str | Path, given: str | None = None, timeout: float = 900) -> str:
    done = subprocess.run(
        [str(part) for part in command], input=given, capture_output=True, text=True, check=False, timeout=timeout
    )
    if done.returncode:
        raise ProductError(f"{' '.join(map(str, command[:6]))} …: {(done.stderr or done.stdout).strip()[-3000:]}")
    return done.stdout


@dataclass(frozen=True)
class Product:
    """A cluster and what to call on it. `workloads` are the namespaces data scientists work in."""

    provider: Provider
    workloads: tuple[str, ...] = ("default",)
    values: dict[str, Any] = field(default_factory=dict)
    helm: str = "helm"  # or helm3

    def kubectl(self, *arguments: str, given: str | None = None, timeout: float = 300) -> str:
        kubeconfig = ("--kubeconfig", self.provider.kubeconfig())
        return run(self.provider.kubectl(), *kubeconfig, *arguments, given=given, timeout=timeout)

    def get(self, *arguments: str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return result

    def create_namespace(self, name: str) -> None:
        """A workload namespace that enforces Pod Security `restricted`."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        self.kubectl("apply", "-f", "-", given=json.dumps(namespace))

    def run_helm(self, *arguments: str | Path) -> str:
        program = build.program(self.helm)
        return run(program, "--kubeconfig", self.provider.kubeconfig(), "--namespace", SYSTEM, *arguments)

    def install(self, images: dict[str, str], chart: Path = CHART) -> None:
        """`helm upgrade --install`, then wait until operator and store are ready."""
        for namespace in self.workloads:
            self.create_namespace(namespace)
        values = {"workloadNamespaces": list(self.workloads), "images": images, **self.values}
        self.run_helm(
            *(
                "upgrade",
                "--install",
                RELEASE,
                chart,
                "--create-namespace",
                "--take-ownership",
                "--wait",
                "--timeout",
                "5m",
            ),
            *(f"--set-json={key}={json.dumps(value)}" for key, value in values.items()),
        )

    def uninstall(self) -> None:
        self.run_helm("uninstall", RELEASE, "--wait", "--timeout", "3m")
