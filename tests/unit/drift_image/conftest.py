"""Each test has a store of its own."""

from pathlib import Path

import pytest

from tests.unit.drift_image.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
