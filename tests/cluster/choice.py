"""Which provider this machine gets: kind where a Docker engine answers, else the embedded node."""

import shutil
import subprocess
from collections.abc import Callable

from tests.cluster.current import Current
from tests.cluster.kind import Kind
from tests.cluster.node.provider import Node
from tests.cluster.provider import CLUSTER_NAME, ClusterError, Provider

PROVIDERS: dict[str, Callable[[str], Provider]] = {
    "current": lambda _name: Current(),
    "kind": Kind,
    "node": Node,
}


def docker_answers() -> bool:
    """True for a working engine: the client alone also exits with 0 and prints its own half."""
    if shutil.which("docker") is None:
        return False
    command = ["docker", "info", "--format", "{{.ServerVersion}}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0 and answer.stdout.strip()[:1].isdigit()


def default_name(engine_answers: Callable[[], bool] = docker_answers) -> str:
    """Never `current`: somebody's real cluster is used only when asked for by name."""
    return "kind" if engine_answers() else "node"


def choose(provider: str | None = None, cluster: str = CLUSTER_NAME) -> Provider:
    kind = provider or default_name()
    if kind not in PROVIDERS:
        raise ClusterError(f"no provider {kind!r}; there are {', '.join(PROVIDERS)}")
    return PROVIDERS[kind](cluster)
