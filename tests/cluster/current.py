"""The cluster of the user's kubeconfig. It is somebody's: it is neither started nor stopped."""

import os
from pathlib import Path

from tests.cluster import kubectl
from tests.cluster.provider import ClusterError, Status


class Current:
    name = "current"

    def up(self) -> None:
        status = self.status()
        if not status.healthy:
            raise ClusterError(f"the current context does not answer: {status.detail}")

    def down(self, *, keep_data: bool = False) -> None:
        """Nothing: what we did not start we do not stop."""

    def status(self) -> Status:
        try:
            kubectl.run(self.kubectl(), self.kubeconfig(), "get", "--raw", "/readyz")
            context = kubectl.run(self.kubectl(), self.kubeconfig(), "config", "current-context").strip()
        except ClusterError as error:
            return Status(self.name, False, str(error))
        return Status(self.name, True, f"context {context}")

    def kubeconfig(self) -> Path:
        named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
        return Path(named) if named else Path.home() / ".kube" / "config"

    def load_image(self, image: str) -> None:
        raise ClusterError(f"cannot load {image} into a cluster that is not ours: push it to its registry")

    def set_capacity(self, resource: str, quantity: str) -> None:
        kubectl.set_capacity(self.kubectl(), self.kubeconfig(), resource, quantity)

    def kubectl(self) -> Path:
        return kubectl.find()
