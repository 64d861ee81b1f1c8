"""An API server with controllers, our kinds and a restricted namespace; a node where one is asked for."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import build
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import kinds_served
from tests.integration.plan.played import NODE, SPACE, Kubectl, report

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def kubectl(controlled_plane: ControlPlane) -> Kubectl:
    program = build.program("kubernetes", "kubectl")

    def run(*arguments: str, given: Any = None) -> Any:
        command = [str(program), "--kubeconfig", str(controlled_plane.kubeconfig), "--namespace", SPACE, *arguments]
        text = None if given is None else json.dumps(given)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stderr}\n{text}"
        return json.loads(done.stdout) if "json" in arguments else done.stdout

    run("apply", "--server-side", "-f", str(ROOT / "crds"))
    kinds_served(program, controlled_plane.kubeconfig)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": labels}}
    run("create", "-f", "-", given=space)
    return run


@pytest.fixture
def node(kubectl: Kubectl) -> Iterator[None]:
    """A node without a GPU, as its kubelet would report it."""
    kubectl("create", "-f", "-", given={"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    report(kubectl, cpu="8", memory="8Gi", pods="20", **{"ephemeral-storage": "99Gi"})
    kubectl("patch", "node", NODE, "--type=merge", "--patch", '{"spec": {"taints": []}}')
    yield
    kubectl("delete", "node", NODE)
