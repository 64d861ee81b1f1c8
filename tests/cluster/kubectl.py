"""What all providers do the same way, through kubectl."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.cluster import build
from tests.cluster.provider import ClusterError
from tests.cluster.waiting import until

GROUP = "/apis/modelyard.dev/v1alpha1"
KINDS = {"Dataset", "TrainingJob", "ModelDeployment", "DriftMonitor"}


def find() -> Path:
    """For a cluster that is not ours: the user's kubectl, else the one we build."""
    on_path = shutil.which("kubectl")
    return Path(on_path) if on_path else build.program("kubernetes", "kubectl")


def run(kubectl: Path, kubeconfig: Path | None, *arguments: str, given: str | None = None) -> str:
    command = [str(kubectl), *(["--kubeconfig", str(kubeconfig)] if kubeconfig else []), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def kinds_served(kubectl: Path, kubeconfig: Path | None) -> None:
    """Wait for our kinds; `kubectl wait` for a definition fails while it has no status.

    https://github.com/kubernetes/kubernetes/issues/66439
    """

    def served() -> bool:
        try:
            listed = json.loads(run(kubectl, kubeconfig, "get", "--raw", GROUP))
        except ClusterError:
            return False
        return {each["kind"] for each in listed["resources"]} >= KINDS

    until(served, "the kinds of modelyard.dev", timeout_s=30)


def capacity_patch(resource: str, quantity: str) -> str:
    """A JSON patch of a node's status; a slash in the resource's name is ~1 in a JSON pointer."""
    key = resource.replace("~", "~0").replace("/", "~1")
    return json.dumps(
        [{"op": "add", "path": f"/status/{part}/{key}", "value": quantity} for part in ("capacity", "allocatable")]
    )


def set_capacity(kubectl: Path, kubeconfig: Path | None, resource: str, quantity: str) -> None:
    for node in run(kubectl, kubeconfig, "get", "nodes", "-o", "name").split():
        patch = capacity_patch(resource, quantity)
        run(kubectl, kubeconfig, "patch", node, "--subresource=status", "--type=json", "-p", patch)
