"""Where the embedded node keeps its things, and its addresses."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

NODE_NAME = "modelyard-node"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"  # the name only: our own program, imported, never pulled


@dataclass(frozen=True)
class Network:
    """All of it exists inside the node's own network namespace only, so it cannot collide with the host's."""

    node: str = "198.18.0.1"
    dns: str = "198.18.0.2"
    pods: str = "10.244.0.0/16"
    services: str = "10.96.0.0/16"
    api_port: int = 6443
    bridge: str = "node0"

    @property
    def first_service(self) -> str:
        """The address of the `kubernetes` Service: the API server takes the first of the range."""
        return str(ipaddress.ip_network(self.services)[1])

    @property
    def api_url(self) -> str:
        return f"https://{self.node}:{self.api_port}"


@dataclass(frozen=True)
class Layout:
    cluster: str
    directory: Path
    network: Network = Network()

    @property
    def namespace(self) -> Path:
        return Path("/run/netns") / self.cluster

    @property
    def data(self) -> Path:
        """What `down` deletes and `down --keep-data` keeps."""
        return self.directory / "data"

    @property
    def credentials(self) -> Path:
        return self.data / "credentials"

    @property
    def volumes(self) -> Path:
        return self.data / "volumes"

    @property
    def config(self) -> Path:
        return self.directory / "config"

    @property
    def runtime_state(self) -> Path:
        return self.directory / "run"

    @property
    def runtime_socket(self) -> Path:
        return self.runtime_state / "containerd.sock"

    def component_kubeconfig(self, name: str) -> Path:
        return self.config / f"{name}.kubeconfig"
