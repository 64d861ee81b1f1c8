"""A real API server for integration tests, one for the whole run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controlplane import ControlPlane


@pytest.fixture(scope="session", autouse=True)
def discovery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """kubectl remembers for hours what a server at an address serves: here another one may have had the port."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECACHEDIR", str(tmp_path_factory.mktemp("kubectl")))
        yield


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Path]:
    """The kubeconfig of an API server without controllers; tests keep apart by namespace."""
    with ControlPlane() as plane:
        yield plane.kubeconfig


@pytest.fixture(scope="session")
def controlled_plane() -> Iterator[ControlPlane]:
    """The same with controllers (Jobs, Deployments, garbage collection) and scheduler, but no node."""
    with ControlPlane(controllers=True, scheduler=True) as plane:
        yield plane
