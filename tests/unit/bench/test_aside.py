"""What goes on aside while a server is measured, asked of the real management port."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from modelyard.contract.progress import Routing
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import ServeTask
from modelyard_serving.management import management
from modelyard_serving.serving import Serving
from tests.bench.serving import aside
from tests.bench.serving.measure import mean_batch
from tests.unit.serving_image.models import listening


@pytest_asyncio.fixture
async def serving() -> AsyncIterator[Serving]:
    task = ServeTask(
        namespace="bench",
        name="bench",
        store=StoreConfig(uri="file:///nowhere"),
        model_name="bench",
        training_job="job",
        model_digest="",
        revision="r1",
    )
    async with httpx.AsyncClient() as client:
        yield Serving(task, client)


async def test_an_idle_shadow_is_a_candidate_without_a_share_and_gone_afterwards(serving: Serving) -> None:
    meanwhile: list[Routing] = []

    def measured(port: int) -> None:
        with aside._idle_shadow(port):
            meanwhile.append(serving.routing)
            raise TimeoutError

    async with listening(management(serving)) as port:
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(measured, port)
    assert [(each.candidate, each.weight, each.shadow) for each in meanwhile] == [("beside", 0, 0)]
    assert serving.routing.candidate is None


async def test_metrics_are_scraped_while_it_lasts_and_not_at_once(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "SCRAPE", 0.4)

    def measured(port: int, seconds: float) -> list[bytes]:
        with aside._scraped(port) as done:
            time.sleep(seconds)
        return done

    async with listening(management(serving)) as port:
        assert await asyncio.to_thread(measured, port, 0.0) == []
        scraped = await asyncio.to_thread(measured, port, 1.2)
    assert 1 <= len(scraped) <= 3
    assert all(b"modelyard_" in each for each in scraped)


def test_a_mean_batch_is_of_the_requests_in_between() -> None:
    assert mean_batch((1000, 900), (1640, 920)) == 32
