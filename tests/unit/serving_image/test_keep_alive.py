"""A connection in use is not closed, whichever ways its requests take."""

import asyncio
import time
from typing import Any

import orjson
import pytest

from modelyard.contract.progress import Routing
from modelyard_kit.model import LoadedModel
from modelyard_kit.skops_format import SklearnModel
from tests.unit.serving_image import models
from tests.unit.serving_image.models import ROWS, Place, v2_body
from tests.unit.serving_image.test_protocol import answer

BODY = orjson.dumps(v2_body({name: values[:1] for name, values in ROWS.items()}))
INFER = f"POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: {len(BODY)}\r\n\r\n".encode() + BODY
LIVE = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"


class Slow:
    def predict_proba(self, frame: Any) -> list[list[float]]:
        time.sleep(0.15)
        return [[1.0, 0.0]] * len(frame)


@pytest.mark.parametrize("long_way", ["a probe", "a canary"])
async def test_a_connection_in_use_is_not_closed(
    where: Place, digest: str, classifier: LoadedModel, monkeypatch: pytest.MonkeyPatch, long_way: str
) -> None:
    monkeypatch.setattr("modelyard_serving.lifecycle.KEEP_ALIVE", 1)
    model = SklearnModel(classifier.manifest, Slow())
    async with models.endpoint(where, where.task(digest), model) as served, models.listening(served.app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(20):
            writer.write(INFER)  # its head is known from now on
            assert await answer(reader) == b"HTTP/1.1 200 OK"
            if long_way == "a canary":
                served.serving.route(Routing(epoch="1", candidate="r2", weight=1))
            writer.write(INFER if long_way == "a canary" else LIVE)
            assert await answer(reader) == b"HTTP/1.1 200 OK"
            served.serving.route(Routing(epoch="2"))
            for _ in range(12):  # 1.8 seconds without a pause
                writer.write(INFER)
                assert await answer(reader) == b"HTTP/1.1 200 OK"
        writer.close()
