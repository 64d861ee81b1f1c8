"""A kind cluster, where a Docker engine answers."""

import shutil
import subprocess
from pathlib import Path

from tests.cluster import build, kubectl
from tests.cluster.paths import kubeconfig_path
from tests.cluster.progress import step
from tests.cluster.provider import CLUSTER_NAME, ClusterError, Status


class Kind:
    name = "kind"

    def __init__(self, cluster: str = CLUSTER_NAME) -> None:
        self.cluster = cluster

    def up(self) -> None:
        if self.cluster in self._kind("get", "clusters").split():
            self._kind("export", "kubeconfig", *self._named(), "--kubeconfig", str(self.kubeconfig()))
            return
        with step("creating a kind cluster"):
            self.kubeconfig().parent.mkdir(parents=True, exist_ok=True)
            self._kind("create", "cluster", *self._named(), "--kubeconfig", str(self.kubeconfig()), "--wait=180s")

    def down(self, *, keep_data: bool = False) -> None:
        if keep_data:
            raise ClusterError("kind cannot stop a cluster and keep its data: leave it up instead")
        self._kind("delete", "cluster", *self._named(), "--kubeconfig", str(self.kubeconfig()))

    def status(self) -> Status:
        try:
            kubectl.run(self.kubectl(), self.kubeconfig(), "get", "--raw", "/readyz")
        except ClusterError as error:
            return Status(self.name, False, str(error))
        return Status(self.name, True, f"kind cluster {self.cluster}")

    def kubeconfig(self) -> Path:
        return kubeconfig_path(self.cluster)

    def load_image(self, image: str) -> None:
        how = "image-archive" if Path(image).is_file() else "docker-image"
        self._kind("load", how, image, *self._named())

    def set_capacity(self, resource: str, quantity: str) -> None:
        kubectl.set_capacity(self.kubectl(), self.kubeconfig(), resource, quantity)

    def kubectl(self) -> Path:
        return kubectl.find()

    def _named(self) -> tuple[str, str]:
        return ("--name", self.cluster)

    def _kind(self, *arguments: str) -> str:
        program = shutil.which("kind") or build.program("kind")
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClusterError(f"kind {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout
