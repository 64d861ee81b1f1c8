"""The four kinds on a real API server."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from modelyard.api.crd import definition
from modelyard.api.kinds import KINDS
from tests.cluster import build
from tests.cluster.controlplane import ControlPlane
from tests.cluster.kubectl import kinds_served
from tests.integration.api.server import SchemaServer

ROOT = Path(__file__).parents[3]
Apply = Callable[[dict[str, object]], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def kubectl(control_plane: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    program = build.program("kubernetes", "kubectl")

    def run(*arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        command = [str(program), "--kubeconfig", str(control_plane), *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture(scope="session")
def crds(kubectl: Callable[..., "subprocess.CompletedProcess[str]"], control_plane: Path) -> None:
    done = kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    assert done.returncode == 0, done.stderr
    kinds_served(build.program("kubernetes", "kubectl"), control_plane)


@pytest.fixture
def dry_apply(crds: None, kubectl: Callable[..., "subprocess.CompletedProcess[str]"]) -> Apply:
    """`kubectl apply --dry-run=server` under strict validation."""

    def apply(resource: dict[str, object]) -> "subprocess.CompletedProcess[str]":
        arguments = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")
        return kubectl(*arguments, given=yaml.safe_dump(resource))

    return apply


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """An API server for schemas alone: they are exchanged on it."""
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="session")
def server(plane: ControlPlane) -> SchemaServer:
    """With the present definitions."""
    made = SchemaServer(plane, "schemas")
    made.install(definition(kind) for kind in KINDS)
    return made
