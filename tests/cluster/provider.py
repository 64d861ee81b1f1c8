"""What every way of getting a Kubernetes offers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

CLUSTER_NAME = "modelyard"


class ClusterError(RuntimeError):
    """Something about the cluster that a person has to fix; the message says how."""


@dataclass(frozen=True)
class Status:
    provider: str
    healthy: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.provider}: {'healthy' if self.healthy else 'not running'} ({self.detail})"


class Provider(Protocol):
    name: str

    def up(self) -> None:
        """Start the cluster, or return at once when it is healthy."""

    def down(self, *, keep_data: bool = False) -> None:
        """Stop it and leave nothing behind; with `keep_data` the next `up` finds its objects again."""

    def status(self) -> Status: ...

    def kubeconfig(self) -> Path: ...

    def load_image(self, image: str) -> None:
        """Make an image available to pods: a docker-archive tar, or a name that docker or buildah knows."""

    def set_capacity(self, resource: str, quantity: str) -> None:
        """Pretend that every node has this much of an extended resource."""

    def kubectl(self) -> Path: ...
