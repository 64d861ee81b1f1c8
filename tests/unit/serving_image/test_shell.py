"""The quiet paths: readiness, limits, documentation, metrics and the management port."""

import asyncio
import re
import time
from typing import Any

import httpx
import pytest

from modelyard.contract.progress import Progress, ServingStats
from modelyard_kit.model import LoadedModel
from modelyard_kit.skops_format import SklearnModel
from modelyard_serving.data_plane import DataPlane
from modelyard_serving.management import management
from modelyard_serving.serving import Serving
from modelyard_serving.shell import shell
from tests.unit.serving_image import models
from tests.unit.serving_image.models import Endpoint, Place, v2_body
from tests.unit.serving_image.test_patience import begun
from tests.unit.serving_image.test_split import Slow

INFER = "/v2/models/demo/infer"
ROWS: dict[str, list[Any]] = {"price": [3.5], "region": ["north"], "hour": [1]}


async def test_a_server_that_loads_is_alive_and_not_ready(where: Place, digest: str) -> None:
    async with httpx.AsyncClient() as forwarding:
        serving = Serving(where.task(digest), forwarding)
        transport = httpx.ASGITransport(app=DataPlane(serving, shell(serving)))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            assert (await client.get("/v2/health/live")).status_code == 200
            for answer in (
                await client.get("/v2/health/ready"),
                await client.get("/ping"),
                await client.get("/v2/models/demo/ready"),
                await client.post(INFER, json=v2_body(ROWS)),
                await client.post("/v2/models/demo/feedback", json={"inference_id": "a", "label": "low"}),
            ):
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "1"
                assert "ready" in answer.json()["error"]
            assert (await client.get("/openapi.json")).json()["info"]["description"] == "The model is loading."


async def test_a_draining_server_still_answers_and_ends_each_connection(served: Endpoint) -> None:
    served.serving.draining = True
    answer = await served.client.post(INFER, json=v2_body(ROWS))
    assert answer.status_code == 200
    assert answer.headers["connection"] == "close"
    for path in ("/v2/health/ready", "/ping", "/v2/models/demo/ready"):
        refused = await served.client.get(path)
        assert refused.status_code == 503
        assert refused.headers["connection"] == "close"
    assert (await served.client.get("/v2/health/live")).status_code == 200


async def test_more_requests_than_the_limit_are_told_to_come_back(
    served: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelyard_serving.serving.MAX_IN_FLIGHT", 1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow_body() -> Any:
        yield b'{"inputs": '
        begun.set()
        await go_on.wait()
        yield b"[]}"

    first = asyncio.create_task(served.client.post(INFER, content=slow_body()))
    await begun.wait()
    second = await served.client.post(INFER, json=v2_body(ROWS))
    go_on.set()
    assert (await first).status_code == 400
    assert second.status_code == 429
    assert second.headers["retry-after"] == "1"
    assert (await served.client.post(INFER, json=v2_body(ROWS))).status_code == 200


async def test_the_examples_of_the_documentation_run_as_they_stand(served: Endpoint) -> None:
    document = (await served.client.get("/openapi.json")).json()
    ran = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            bodies = operation.get("requestBody", {}).get("content", {"": {}})
            for content_type, body in bodies.items():
                example = body.get("example")
                if method == "post" and example is None:
                    continue
                sent: dict[str, Any] = {"content": example} if isinstance(example, str) else {"json": example}
                headers = {"content-type": content_type} if content_type else {}
                answer = await served.client.request(method, path, headers=headers, **(sent if example else {}))
                assert str(answer.status_code) in operation["responses"], (path, answer.text)
                assert answer.is_success, (path, answer.text)
                ran += 1
    assert ran == 21


async def test_the_documentation_page_needs_nothing_from_elsewhere(served: Endpoint) -> None:
    page = (await served.client.get("/docs")).text
    addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page)
    assert len(addresses) >= 4
    assert "://" not in "".join(addresses)
    for address in addresses:
        assert (await served.client.get("/" + address)).status_code == 200
    assert (await served.client.get("/docs/index.html")).status_code == 404


async def test_metrics_count_what_happened(served: Endpoint) -> None:
    await served.client.post(INFER, json=v2_body(ROWS))
    await served.client.post("/invocations", content=b"{")
    text = (await served.client.get("/metrics")).text
    for line in (
        'modelyard_inference_requests_total{code="200",protocol="v2"} 1.0',
        'modelyard_inference_requests_total{code="400",protocol="sagemaker"} 1.0',
        'modelyard_inference_request_duration_seconds_count{protocol="v2"} 1.0',
        "modelyard_inference_rows_total 1.0",
        "modelyard_model_ready 1.0",
        "modelyard_capture_records_buffered 1.0",
        'modelyard_capture_records_total{result="dropped"} 0.0',
    ):
        assert line in text
    assert 'revision="r1"' in text


async def test_the_statistics_of_triton_count_what_happened(served: Endpoint) -> None:
    before = time.time() * 1000
    await served.client.post(INFER, json=v2_body(ROWS))
    await served.client.post("/invocations", content=b"{")
    (told,) = (await served.client.get("/v2/models/demo/stats")).json()["model_stats"]
    assert (told["name"], told["version"], told["inference_count"], told["execution_count"]) == ("demo", "r1", 1, 1)
    assert before - 1 <= told["last_inference"] <= time.time() * 1000
    stats = told["inference_stats"]
    assert {name: found["count"] for name, found in stats.items()} == {"success": 1, "fail": 1, "compute_infer": 1}
    assert 0 < stats["compute_infer"]["ns"] < stats["success"]["ns"]
    assert stats["fail"]["ns"] > 0
    assert (await served.client.get("/v2/models/other/stats")).status_code == 404


def admin(served: Endpoint) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=management(served.serving)), base_url="http://management"
    )


async def test_the_operator_reads_progress_and_statistics_and_sets_the_routing(served: Endpoint) -> None:
    async with admin(served) as client:
        progress = Progress.model_validate((await client.get("/progress")).json())
        assert (progress.stage, progress.percent) == ("Serving", 100)
        answer = await client.put("/routing", json={"epoch": "two", "candidate": "r2", "weight": 0})
        assert answer.status_code == 200
        await served.client.post(INFER, json=v2_body(ROWS))
        stats = ServingStats.model_validate((await client.get("/stats")).json())
        assert (stats.epoch, stats.stable.requests) == ("two", 1)
        assert "modelyard_model_info" in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"epoch": "e", "candidate": "r2.evil", "weight": 5}, "is no revision"),
        ({"epoch": "e", "candidate": "r2", "weight": 500}, "percentage"),
        ({"candidate": "r2"}, "epoch"),
        ({"epoch": "e", "weight": "much"}, "weight"),
    ],
)
async def test_a_wrong_routing_is_refused_and_changes_nothing(
    served: Endpoint, content: dict[str, Any], words: str
) -> None:
    before = served.serving.routing
    async with admin(served) as client:
        answer = await client.put("/routing", json=content)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert served.serving.routing == before


async def test_a_slow_model_leaves_the_probes_free(where: Place, digest: str, classifier: LoadedModel) -> None:
    model = Slow()
    async with models.endpoint(where, where.task(digest), SklearnModel(classifier.manifest, model)) as served:
        await served.client.post(INFER, json=v2_body(ROWS))  # from now on it is known as slow
        slow = asyncio.create_task(served.client.post(INFER, json=v2_body(ROWS)))
        await begun(model)
        assert (await served.client.get("/v2/health/live")).status_code == 200
        assert not slow.done()
        model.go.set()
        assert (await slow).status_code == 200
