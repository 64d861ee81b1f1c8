"""Nobody waits for ever, and nothing is asked for nobody."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from modelyard_kit.model import LoadedModel
from modelyard_kit.skops_format import SklearnModel
from tests.unit.serving_image import models
from tests.unit.serving_image.models import ROWS, Endpoint, Place, v2_body

INFER = "/v2/models/demo/infer"
ONE = {name: values[:1] for name, values in ROWS.items()}


class Stuck:
    """A model that answers its first two calls at once, so that it is known, and others once it is let go."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self.asked: list[int] = []

    def predict_proba(self, frame: Any) -> list[list[float]]:
        self.asked.append(len(frame))
        if len(self.asked) > 1:
            self.begun.set()
            assert self.go.wait(10)
        return [[1.0, 0.0]] * len(frame)


@pytest.fixture
def stuck() -> Stuck:
    return Stuck()


@pytest_asyncio.fixture
async def slow(where: Place, digest: str, classifier: LoadedModel, stuck: Stuck) -> AsyncIterator[Endpoint]:
    async with models.endpoint(where, where.task(digest), SklearnModel(classifier.manifest, stuck)) as served:
        assert served.serving.loaded
        learned = served.serving.loaded.predictor._batcher._learned
        learned.took(1.0, 1)  # slow: it runs in its thread
        await served.client.post(INFER, json=v2_body(ONE))
        learned.took(1.0, 1)
        yield served


async def begun(stuck: Stuck) -> None:
    assert await asyncio.to_thread(stuck.begun.wait, 10)


async def test_a_request_has_the_time_that_it_says_and_what_waits_is_not_asked(slow: Endpoint, stuck: Stuck) -> None:
    first = asyncio.create_task(slow.client.post(INFER, json=v2_body(ONE)))
    await begun(stuck)
    late = await slow.client.post(INFER, json=v2_body(ONE, parameters={"timeout": 50_000}))
    assert late.status_code == 504
    assert "within 0.05 s" in late.json()["error"]
    stuck.go.set()
    assert (await first).status_code == 200
    assert stuck.asked == [1, 1]


async def test_what_a_caller_that_has_left_waits_for_is_not_asked(slow: Endpoint, stuck: Stuck) -> None:
    async with models.listening(slow.app) as port:
        first = asyncio.create_task(slow.client.post(INFER, json=v2_body(ONE)))
        await begun(stuck)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        body = orjson.dumps(v2_body(ONE))
        writer.write(f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        batcher = slow.serving.loaded.predictor._batcher if slow.serving.loaded else None
        assert batcher
        async with asyncio.timeout(5):
            while not batcher._waiting:  # noqa: ASYNC110 - it offers no event
                await asyncio.sleep(0.01)
            writer.close()
            while not batcher._waiting[0].receiver.cancelled():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stuck.go.set()
        assert (await first).status_code == 200
    assert stuck.asked == [1, 1]


@pytest.mark.parametrize("given", [-1, 0.5, "1", True])
async def test_a_time_that_is_none_is_refused(served: Endpoint, given: object) -> None:
    answer = await served.client.post(INFER, json=v2_body(ONE, parameters={"timeout": given}))
    assert answer.status_code == 400
    assert "microseconds" in answer.json()["error"]
