"""One classifier per module, and a server of it per test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from modelyard_kit.model import LoadedModel
from tests.unit.serving_image import models
from tests.unit.serving_image.models import Endpoint, Place


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return models.place(Path(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def digest(where: Place) -> str:
    return models.publish(where, "classification")


@pytest.fixture(scope="module")
def classifier(where: Place, digest: str) -> LoadedModel:
    return models.load(where, digest)


@pytest_asyncio.fixture
async def served(where: Place, digest: str, classifier: LoadedModel) -> AsyncIterator[Endpoint]:
    async with models.endpoint(where, where.task(digest), classifier) as found:
        yield found
