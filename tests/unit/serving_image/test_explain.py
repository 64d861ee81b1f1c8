"""Requests for explanations, as clients make them of a server: what is answered, refused, and not held up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
import pytest_asyncio

from modelyard.contract.manifest import ModelFormat
from modelyard.contract.profile import Profile
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_serving.errors import RequestError
from modelyard_serving.explanation import worker
from modelyard_serving.explanation.background import background
from tests.unit.serving_image import models
from tests.unit.serving_image.models import NUMERIC, Endpoint, Place

ROW = {"price": 5.0, "region": "north", "hour": 3}
PATHS = ("/explain", "/v1/models/demo:explain")
INFER = "/v2/models/demo/infer"
Answer = dict[str, Any]


@asynccontextmanager
async def serving(
    where: Place, form: ModelFormat, kind: Any = "classification", **more: Any
) -> AsyncIterator[Endpoint]:
    digest = models.publish(where, kind, form=form, **more)
    async with models.endpoint(where, where.task(digest), models.load(where, digest)) as found:
        yield found


@pytest_asyncio.fixture
async def graph(where: Place) -> AsyncIterator[Endpoint]:
    async with serving(where, "onnx") as found:
        yield found


def check_sums(answer: Answer, tolerance: float = 1e-9) -> None:
    for explanation in answer["explanations"]:
        for output in explanation["outputs"]:
            difference = output["value"] - output["base_value"]
            assert sum(output["attributions"].values()) == pytest.approx(difference, abs=tolerance)


@pytest.mark.parametrize("path", PATHS)
async def test_a_row_is_explained_per_class_and_column_by_their_names(graph: Endpoint, path: str) -> None:
    found = await graph.client.post(path, json={"instances": [ROW]}, headers={"x-request-id": "mine"})
    assert (found.status_code, found.headers["x-request-id"]) == (200, "mine")
    answer = found.json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("demo", "r1", "mine")
    assert (answer["method"], answer["scale"], answer["predictions"]) == ("tree_shap", "probability", ["low"])
    [explanation] = answer["explanations"]
    high, low = explanation["outputs"]
    assert (high["name"], low["name"]) == ("high", "low")
    # Half of the training rows are low, as the price alone decides.
    assert (low["value"], low["base_value"]) == (1.0, 0.5)
    assert low["attributions"] == {"price": 0.5, "region": 0.0, "hour": 0.0}
    assert high["attributions"] == {"price": -0.5, "region": 0.0, "hour": 0.0}
    assert (explanation["background_rows"], explanation["budget_ended"]) == (40, False)
    assert "standard_errors" not in low


@pytest.mark.parametrize("path", ["/explain", "/v2/models/demo/explain", "/v2/models/demo/versions/r1/explain"])
async def test_tensors_are_explained_as_v2_sends_them(graph: Endpoint, path: str) -> None:
    columns: dict[str, list[Any]] = {"price": [5.0, 35.0], "region": ["north", None], "hour": [3, 4]}
    found = await graph.client.post(path, json=models.v2_body(columns, id="mine"))
    assert found.status_code == 200
    answer = found.json()
    assert (answer["id"], answer["predictions"], len(answer["explanations"])) == ("mine", ["low", "high"], 2)
    check_sums(answer)


@pytest.mark.parametrize("form", ["skops", "xgboost", "lightgbm"])
async def test_a_model_that_is_no_graph_is_explained_by_permutations(where: Place, form: ModelFormat) -> None:
    async with serving(where, form, features=NUMERIC) as served:
        found = await served.client.post("/explain", json={"instances": [{"price": 5.0, "hour": 3}]})
        answer = found.json()
        assert (answer["method"], answer["scale"]) == ("permutation", "probability")
        check_sums(answer)
        [explanation] = answer["explanations"]
        low = explanation["outputs"][1]
        assert low["attributions"]["price"] > 0.2
        assert low["standard_errors"]["price"] > 0
        assert (explanation["evaluations"], explanation["background_rows"]) == (1 + 40 * 3, 40)


async def test_a_regression_has_one_output_in_its_own_unit(where: Place) -> None:
    async with serving(where, "onnx", "regression") as served:
        answer = (await served.client.post("/explain", json={"instances": [ROW]})).json()
        assert (answer["method"], answer["scale"]) == ("permutation", "value")
        [output] = answer["explanations"][0]["outputs"]
        assert output["name"] == "level"
        # 2 * price + 1, and the mean price of the training rows is 19.5
        assert output["attributions"]["price"] == pytest.approx(2 * (5 - 19.5), abs=1e-3)
        assert output["base_value"] == pytest.approx(2 * 19.5 + 1, abs=1e-3)
        check_sums(answer)


async def test_both_methods_agree_where_both_fit(graph: Endpoint) -> None:
    exact, sampled = [
        (await graph.client.post("/explain", json={"instances": [ROW], "parameters": {"method": method}})).json()
        for method in ("tree_shap", "permutation")
    ]
    assert (exact["method"], sampled["method"]) == ("tree_shap", "permutation")
    ours, theirs = (answer["explanations"][0]["outputs"][1]["attributions"] for answer in (exact, sampled))
    assert theirs == pytest.approx(ours, abs=1e-6)


async def test_the_same_request_gets_the_same_answer(where: Place) -> None:
    async with serving(where, "skops") as served:
        body = {"instances": [ROW, {**ROW, "price": 33.0}], "parameters": {"evaluations": 100}}
        one, two = [(await served.client.post("/explain", json=body)).json() for _ in range(2)]
        assert one["explanations"] == two["explanations"]
        assert all(explanation["budget_ended"] for explanation in one["explanations"])
        assert sum(explanation["evaluations"] for explanation in one["explanations"]) <= 100
        check_sums(one)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"instances": [{**ROW, "price": "dear"}]}, 400, "column 'price', row 0"),
        ({"instances": [{"price": 5.0, "hour": 3}]}, 400, "column 'region' in row 0 is missing"),
        ({"rows": [ROW]}, 400, "instances"),
        ({"instances": [ROW], "parameters": 3}, 400, "parameters must be an object"),
        ({"instances": [ROW], "parameters": {"method": "lime"}}, 400, "parameters.method must be one of auto"),
        ({"instances": [ROW], "parameters": {"seconds": 31}}, 400, "parameters.seconds must be a number above 0"),
        ({"instances": [ROW], "parameters": {"seconds": True}}, 400, "parameters.seconds"),
        ({"instances": [ROW], "parameters": {"evaluations": 0}}, 400, "parameters.evaluations must be a whole number"),
        ({"instances": [ROW], "parameters": {"seconds": None}}, 400, "parameters.seconds"),
        ({"instances": [ROW] * 101}, 413, "at most 100"),
    ],
)
async def test_what_cannot_be_explained_is_refused_by_name(
    graph: Endpoint, body: Answer, status: int, words: str
) -> None:
    found = await graph.client.post("/explain", json=body)
    assert found.status_code == status
    assert words in found.json()["error"]


async def test_other_models_versions_and_methods_are_not_served(graph: Endpoint, where: Place) -> None:
    assert (await graph.client.post("/v1/models/other:explain", json={"instances": [ROW]})).status_code == 404
    assert (await graph.client.post("/v2/models/demo/versions/r9/explain", json={})).status_code == 404
    for path in PATHS:
        found = await graph.client.get(path)
        assert (found.status_code, found.headers["allow"]) == (405, "POST")
    async with serving(where, "skops") as served:
        body = {"instances": [ROW], "parameters": {"method": "tree_shap"}}
        found = await served.client.post("/explain", json=body)
        assert (found.status_code, "served as skops" in found.text) == (400, True)


async def test_without_the_store_it_is_said_and_tried_again_later(graph: Endpoint, where: Place) -> None:
    blobs = where.folder / "store" / "blobs"
    blobs.rename(blobs.with_name("away"))
    found = await graph.client.post("/explain", json={"instances": [ROW]})
    blobs.with_name("away").rename(blobs)
    assert (found.status_code, found.headers["retry-after"]) == (503, "10")
    assert "training sample cannot be read" in found.json()["error"]
    assert (await graph.client.post("/explain", json={"instances": [ROW]})).status_code == 200


def test_a_model_that_was_published_without_a_sample_cannot_be_explained(where: Place, classifier: LoadedModel) -> None:
    digest = where.store.put_blob(Profile(rows=0, columns=[]).canonical().encode())
    with pytest.raises(RequestError, match="no sample of its training data") as told:
        background(where.store, classifier.manifest.model_copy(update={"profile_digest": digest}))
    assert told.value.status == 501


@dataclass(frozen=True)
class Slow(LoadedModel):
    """Answers a single row at once, and several, as explanations ask, when it is let go."""

    inner: LoadedModel
    asked: list[int] = field(default_factory=list)
    begun: Event = field(default_factory=Event)
    free: Event = field(default_factory=Event)

    def predict(self, table: Any) -> Prediction:
        return self.inner.predict(table)

    def predict_columns(self, columns: Any) -> Prediction:
        if len(columns[0]) > 1:
            self.asked.append(len(columns[0]))
            self.begun.set()
            assert self.free.wait(30)
        return self.inner.predict_columns(columns)


@asynccontextmanager
async def slow(where: Place) -> AsyncIterator[tuple[Endpoint, Slow]]:
    digest = models.publish(where, "classification")
    inner = models.load(where, digest)
    model = Slow(inner.manifest, inner)
    async with models.endpoint(where, where.task(digest), model) as served:
        try:
            yield served, model
        finally:
            model.free.set()


async def test_predictions_and_probes_are_answered_while_an_explanation_runs(where: Place) -> None:
    async with slow(where) as (served, model):
        explaining = asyncio.create_task(served.client.post("/explain", json={"instances": [ROW]}))
        await asyncio.to_thread(model.begun.wait, 10)
        for _ in range(20):
            columns: dict[str, list[Any]] = {"price": [5.0], "region": ["north"], "hour": [3]}
            assert (await served.client.post(INFER, json=models.v2_body(columns))).status_code == 200
            assert (await served.client.get("/v2/health/ready")).status_code == 200
        assert not explaining.done()
        model.free.set()
        assert (await explaining).status_code == 200


async def test_more_than_a_few_waiting_requests_are_told_to_come_back(where: Place) -> None:
    async with slow(where) as (served, model):
        body = {"instances": [ROW]}
        waiting = [asyncio.create_task(served.client.post("/explain", json=body)) for _ in range(worker.MAX_WAITING)]
        await asyncio.to_thread(model.begun.wait, 10)
        found = await served.client.post("/explain", json=body)
        assert (found.status_code, found.headers["retry-after"]) == (429, "1")
        model.free.set()
        assert [each.status_code for each in await asyncio.gather(*waiting)] == [200] * worker.MAX_WAITING
        assert (await served.client.post("/explain", json=body)).status_code == 200


async def test_the_callers_deadline_ends_it(where: Place) -> None:
    async with slow(where) as (served, model):
        columns: dict[str, list[Any]] = {"price": [5.0] * 3, "region": ["north"] * 3, "hour": [3] * 3}
        started = time.monotonic()
        body = models.v2_body(columns, parameters={"timeout": 2_000_000})
        found = await served.client.post("/v2/models/demo/explain", json=body)
        assert found.status_code == 504
        assert time.monotonic() - started < 20  # the model holds it for 30
        await asyncio.to_thread(model.begun.wait, 10)
        model.free.set()
        assert (await served.client.post("/explain", json={"instances": [ROW]})).status_code == 200
        assert model.asked == [3, 5, 195]  # of the first its predictions, then nothing; all of the second


async def test_a_caller_that_leaves_ends_it(where: Place) -> None:
    async with slow(where) as (served, model), models.listening(served.app) as port:
        body = b'{"instances": [[5, "north", 3], [6, "north", 3], [7, "north", 3]]}'
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /explain HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await asyncio.to_thread(model.begun.wait, 10)
        writer.close()
        assert served.serving.loaded
        async with asyncio.timeout(10):
            while served.serving.loaded.explanations._waiting:  # noqa: ASYNC110 - it offers no event
                await asyncio.sleep(0.01)
        model.free.set()
        assert (await served.client.post("/explain", json={"instances": [ROW]})).status_code == 200
        assert model.asked == [3, 5, 195]
        assert await reader.read() == b""


async def test_a_model_that_fails_shows_no_traceback(where: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async with slow(where) as (served, model):
        model.free.set()
        monkeypatch.setattr(Slow, "predict_columns", lambda *_: 1 / 0)
        found = await served.client.post("/explain", json={"instances": [ROW]})
        assert found.status_code == 500
        assert "fault" in found.json()["error"]
        assert "division" not in found.text


async def test_explanations_are_counted_apart_from_predictions(graph: Endpoint) -> None:
    await graph.client.post("/explain", json={"instances": [ROW]})
    await graph.client.post("/explain", json={"rows": 1})
    text = (await graph.client.get("/metrics")).text
    assert 'modelyard_explain_requests_total{code="200"} 1.0' in text
    assert 'modelyard_explain_requests_total{code="400"} 1.0' in text
    assert "modelyard_explain_request_duration_seconds_count 2.0" in text
    assert "modelyard_inference_requests_total{" not in text
