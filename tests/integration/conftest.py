"""A real API server for integration tests, one for the whole run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controlplane import ControlPlane


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
