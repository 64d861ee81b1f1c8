"""What the chart renders, installed without its pods, and the operator as a process under its own account."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.api.kinds import KINDS
from modelyard.runtime.resources import resource_of
from tests.cluster import kubectl
from tests.cluster.controlplane import ControlPlane
from tests.cluster.waiting import answers, free_ports, until
from tests.unit.chart.rendering import NAMESPACE, ROOT, Rendered

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:modelyard"
GROUP = f"system:serviceaccounts:{NAMESPACE}"
INSTALLED = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "NetworkPolicy")
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def apply(plane: ControlPlane, objects: list[dict[str, Any]]) -> None:
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    arguments = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    kubectl.run(plane.kubectl, plane.kubeconfig, *arguments, given=document)


def define(plane: ControlPlane, rendered: Rendered) -> None:
    """Returns when the four kinds are served."""
    apply(plane, rendered.of("CustomResourceDefinition"))
    paths = [resource_of(kind.kind).path(None) for kind in KINDS]
    until(lambda: all(plane.api.call("GET", path)[0] == 200 for path in paths), "the kinds are served", 30)


def install(plane: ControlPlane, rendered: Rendered, namespaces: Sequence[str]) -> None:
    """Definitions, accounts and roles, in namespaces that take no pod but a restricted one."""
    define(plane, rendered)
    metadata = [{"name": name, "labels": RESTRICTED} for name in (NAMESPACE, *namespaces)]
    apply(plane, [{"apiVersion": "v1", "kind": "Namespace", "metadata": each} for each in metadata])
    apply(plane, [each for each in rendered.objects if each["kind"] in INSTALLED])


def token(plane: ControlPlane, account: str = "modelyard") -> str:
    """A token as kubelet would mount it."""
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    code, answer = plane.api.call("POST", path, asked)
    assert code == 201, answer
    given: str = answer["status"]["token"]
    return given


def kubeconfig(plane: ControlPlane, bearer: str, path: Path) -> Path:
    """With the administrator's server and authority, and the token instead of a certificate."""
    document = json.loads(plane.kubeconfig.read_text())
    document["users"] = [{"name": "account", "user": {"token": bearer}}]
    document["contexts"][0]["context"]["user"] = "account"
    path.write_text(json.dumps(document))
    return path


@dataclass(frozen=True)
class Process:
    """`connections` is what the guard recorded."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    connections: Path
    bearer: str

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def ready(self) -> bool:
        return answers(self.port, "/readyz")

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()


def start(plane: ControlPlane, rendered: Rendered, folder: Path, **environment: str) -> Process:
    """The operator with the configuration that the chart renders, logging all it can."""
    (port,) = free_ports(1)
    config = folder / "operator.json"
    config.write_text(json.dumps({**rendered.operator_config(), "healthPort": port, "pollSeconds": 0.5}))
    bearer = token(plane)
    log, connections = folder / "log", folder / "connections"
    variables = {
        **os.environ,
        **environment,
        "KUBECONFIG": str(kubeconfig(plane, bearer, folder / "kubeconfig")),
        "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT}",
    }
    command = [sys.executable, "-m", "tests.integration.security.guard", str(connections)]
    command += ["run", "--config", str(config), "--log-level", "debug"]
    with log.open("w") as target:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=target, stderr=subprocess.STDOUT)

    def trouble() -> str | None:
        return None if process.poll() is None else f"it has ended:\n{log.read_text()[-4000:]}"

    result = Process(process, port, log, connections, bearer)
    until(result.ready, "the operator is ready", 60, trouble)
    return result
