"""The model server's process against a real S3: its model comes from there, and what it captures goes there."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from modelyard.contract.capture import PREDICTION
from modelyard.contract.store import captures, data_capture, labels
from modelyard_kit.store import Store
from tests.unit.serving_image import models
from tests.unit.serving_image.test_capture import read
from tests.unit.serving_image.test_process import INFER, row, started

pytestmark = pytest.mark.integration


async def test_a_server_loads_from_s3_and_captures_rows_and_labels_there(store: Store, tmp_path: Path) -> None:
    where = models.Place(store, tmp_path)
    digest = models.publish(where, "classification")
    async with started(tmp_path, where.task(digest, flush_seconds=1, capture_layout="sagemaker")) as server:
        await server.ready()
        for number, price in enumerate((3.5, 30.5)):
            assert (await server.client.post(INFER, json=row(price, id=f"call-{number}"))).status_code == 200
        await server.client.post("/v2/models/demo/feedback", json={"inference_id": "call-1", "label": "high"})
        async with asyncio.timeout(20):
            while (await server.management.get("/stats")).json()["captured"] < 2:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.1)
        assert [item[PREDICTION] for item in read(where, captures("shop", "demo"))] == ["low", "high"]
        assert (await server.management.get("/stats")).json()["parity"] == {"rows": 0}
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(server.process.wait(), 28) == 0
    assert [(item["inference_id"], item["label"]) for item in read(where, labels("shop", "demo"))] == [
        ("call-1", "high")
    ]
    events = [
        json.loads(line)
        for entry in store.entries(f"{data_capture('shop', 'demo')}stable/")
        for line in store.get(entry.path).splitlines()
    ]
    assert [event["captureData"]["endpointOutput"]["data"] for event in events] == ["low", "high"]
