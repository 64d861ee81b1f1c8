"""The embedded node behind the one interface of all providers."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.cluster import build, kubectl
from tests.cluster.api import Api, node_ready
from tests.cluster.credentials import Credentials
from tests.cluster.lock import exclusive
from tests.cluster.node import images, needs
from tests.cluster.node.layout import NODE_NAME, Layout
from tests.cluster.node.start import REQUIRED, Start
from tests.cluster.node.sweep import forget, sweep
from tests.cluster.paths import cache_dir, cluster_dir, kubeconfig_path
from tests.cluster.process import Processes
from tests.cluster.progress import say, step
from tests.cluster.provider import CLUSTER_NAME, Status


class Node:
    name = "node"

    def __init__(self, cluster: str = CLUSTER_NAME) -> None:
        self.cluster = cluster
        self.layout = Layout(cluster, cluster_dir(cluster))
        self.processes = Processes(self.layout.directory)

    def up(self) -> None:
        with self._lock():
            status = self.status()
            if status.healthy:
                say(str(status))
                return
            needs.ensure()
            start = Start(self.layout, self.processes)
            if self.layout.directory.exists():
                with step("clearing what an earlier run left"):
                    sweep(self.layout, self.processes)
            with step("starting Kubernetes on this machine"):
                start.run(self.kubeconfig())

    def down(self, *, keep_data: bool = False) -> None:
        if not self.layout.directory.exists():
            say("there is no node to stop")
            return
        needs.check_machine()
        with self._lock(), step("stopping the node" if keep_data else "removing the node"):
            sweep(self.layout, self.processes)
            if not keep_data:
                forget(self.layout)
            self.kubeconfig().unlink(missing_ok=True)

    def status(self) -> Status:
        ended = [name for name in REQUIRED if not self.processes.alive(name)]
        if len(ended) == len(REQUIRED):
            return Status(self.name, False, "nothing runs")
        if ended:
            return Status(self.name, False, f"not running: {', '.join(ended)}")
        port = (self.layout.data / "port").read_text()
        api = Api(f"https://127.0.0.1:{port}", Credentials(self.layout.credentials))
        if not api.ready():
            return Status(self.name, False, "the API server is not ready")
        if not node_ready(api, NODE_NAME):
            return Status(self.name, False, f"node {NODE_NAME} is not Ready")
        return Status(self.name, True, f"API server on 127.0.0.1:{port}, kubeconfig {self.kubeconfig()}")

    def kubeconfig(self) -> Path:
        return kubeconfig_path(self.cluster)

    def load_image(self, image: str) -> None:
        images.load(self.layout, image)

    def set_capacity(self, resource: str, quantity: str) -> None:
        kubectl.set_capacity(self.kubectl(), self.kubeconfig(), resource, quantity)

    def kubectl(self) -> Path:
        return build.program("kubernetes", "kubectl")

    def _lock(self) -> AbstractContextManager[None]:
        return exclusive(cache_dir() / f"{self.cluster}.lock", "starting or stopping this cluster")
