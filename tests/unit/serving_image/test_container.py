"""A server before a user's container answers, counts, captures and refuses as one that has the model itself."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from modelyard.contract.progress import Routing
from modelyard_kit.failure import UserFailure
from modelyard_kit.model import LoadedModel
from modelyard_kit.progress import Reporter
from modelyard_kit.tabular import columns_table
from modelyard_serving import container as module
from modelyard_serving import loading
from modelyard_serving.container import ContainerModel
from modelyard_serving.errors import NotReadyError, RequestError
from modelyard_serving.serving import MAX_IN_FLIGHT
from tests.unit.serving_image import containers, models
from tests.unit.serving_image.containers import Played
from tests.unit.serving_image.models import FEATURES, ROWS, Endpoint, Place, v2_body

INFER = "/v2/models/demo/infer"
TWO: dict[str, list[Any]] = {"price": [3.5, 30.5], "region": ["north", None], "hour": [1, 2]}
COLUMNS = list(TWO.values())


def one(price: float = 3.5, **more: Any) -> dict[str, Any]:
    return v2_body({"price": [price], "region": ["north"], "hour": [1]}, **more)


@pytest.fixture
def played() -> Iterator[Played]:
    with containers.container() as found:
        yield found


@pytest.fixture
def model(played: Played, classifier: LoadedModel) -> Iterator[ContainerModel]:
    with containers.model(played.task(), classifier.manifest) as found:
        yield found


@asynccontextmanager
async def before(where: Place, digest: str, model: ContainerModel, played: Played) -> AsyncIterator[Endpoint]:
    """A server whose model is in that container."""
    task = where.task(digest, container=played.task())
    async with models.endpoint(where, task, containers.predictor(model)) as found:
        yield found


@pytest_asyncio.fixture
async def front(where: Place, digest: str, model: ContainerModel, played: Played) -> AsyncIterator[Endpoint]:
    async with before(where, digest, model, played) as found:
        yield found


async def test_every_protocol_gets_the_containers_answers(front: Endpoint) -> None:
    answers = [
        (await front.client.post(INFER, json=v2_body(TWO))).json()["outputs"][0]["data"],
        (
            await front.client.post("/v1/models/demo:predict", json={"instances": [[3.5, "n", 1], [30.5, None, 2]]})
        ).json()["predictions"],
        (
            await front.client.post(
                "/invocations", content="3.5,n,1\n30.5,,2\n", headers={"content-type": "text/csv", "accept": "text/csv"}
            )
        ).text.split(),
    ]
    assert answers == [["low", "high"]] * 3


async def test_a_request_is_one_question_to_the_container(front: Endpoint, played: Played) -> None:
    await front.client.post(INFER, json=v2_body(TWO))
    ((kind, body),) = played.bodies
    assert (kind, json.loads(body)) == ("application/json", [[3.5, "north", 1], [30.5, None, 2]])


async def test_requests_that_wait_together_are_one_question_and_each_gets_its_own_rows(
    front: Endpoint, played: Played
) -> None:
    played.gate.clear()
    first = asyncio.create_task(front.client.post(INFER, json=one(1.0)))
    assert await asyncio.to_thread(played.arrived.wait, 10)
    others = [asyncio.create_task(front.client.post(INFER, json=one(price))) for price in (30.0, 2.0, 40.0)]
    await until_waiting(front, 3)
    played.gate.set()
    answers = [(await task).json()["outputs"][0]["data"] for task in (first, *others)]
    assert answers == [["low"], ["high"], ["low"], ["high"]]
    assert [len(json.loads(body)) for _, body in played.bodies] == [1, 3]


async def until_waiting(front: Endpoint, count: int) -> None:
    assert front.serving.loaded
    async with asyncio.timeout(10):
        while len(front.serving.loaded.predictor._batcher._waiting) < count:  # noqa: ASYNC110 - it offers no event
            await asyncio.sleep(0.01)


async def test_probes_are_answered_while_the_container_works(front: Endpoint, played: Played) -> None:
    """The first request, too: nothing is known of the container's speed by then."""
    played.gate.clear()
    asked = asyncio.create_task(front.client.post(INFER, json=one()))
    assert await asyncio.to_thread(played.arrived.wait, 10)
    async with asyncio.timeout(1):
        assert (await front.client.get("/v2/health/live")).status_code == 200
        assert (await front.client.get("/ping")).status_code == 200
    played.gate.set()
    assert (await asked).status_code == 200


async def test_a_bad_request_never_reaches_the_container(front: Endpoint, played: Played) -> None:
    answer = await front.client.post(INFER, json=v2_body({**TWO, "hour": [1.5, 2]}))
    assert answer.status_code == 400
    assert "hour" in answer.json()["error"]
    assert played.bodies == []


async def test_who_asks_for_less_time_gets_504_and_too_many_get_429(front: Endpoint, played: Played) -> None:
    played.gate.clear()
    asked = asyncio.create_task(front.client.post(INFER, json=one()))
    assert await asyncio.to_thread(played.arrived.wait, 10)
    late = await front.client.post(INFER, json=one(parameters={"timeout": 50_000}))
    assert (late.status_code, "within 0.05 s" in late.json()["error"]) == (504, True)
    crowd = [asyncio.create_task(front.client.post(INFER, json=one())) for _ in range(MAX_IN_FLIGHT + 5)]
    async with asyncio.timeout(10):
        refused, _ = await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().status_code for task in refused} == {429}
    played.gate.set()
    statuses = [(await task).status_code for task in (asked, *crowd)]
    assert statuses.count(200) == MAX_IN_FLIGHT
    assert statuses.count(429) == 6


def refusing_negative(rows: Any) -> tuple[int, Any]:
    return (400, {"error": "a price below zero"}) if any(row[0] < 0 for row in rows) else containers.by_price(rows)


async def test_rows_that_the_container_refuses_fail_alone_with_its_words(front: Endpoint, played: Played) -> None:
    played.answer = refusing_negative
    played.gate.clear()
    first = asyncio.create_task(front.client.post(INFER, json=one(1.0)))
    assert await asyncio.to_thread(played.arrived.wait, 10)
    others = [asyncio.create_task(front.client.post(INFER, json=one(price))) for price in (-1.0, 40.0)]
    await until_waiting(front, 2)
    played.gate.set()
    assert (await first).status_code == 200
    bad, good = [await task for task in others]
    assert (bad.status_code, good.status_code) == (400, 200)
    assert "a price below zero" in bad.json()["error"]


@pytest.mark.parametrize(
    ("status", "answer", "expected", "said"),
    [
        (500, {"error": "boom at line 7"}, 500, "the model failed on this request"),
        (415, b"", 500, "the model failed on this request"),
        (200, b"<html>", 500, "the model failed on this request"),
        (200, ["low"], 500, "the model failed on this request"),
        (200, ["low", "medium"], 500, "the model failed on this request"),
        (503, b"queue full", 503, "the container of the model answers 503: queue full"),
        (429, b"", 503, "the container of the model answers 429"),
    ],
)
async def test_a_container_at_fault_is_told_apart_from_a_bad_request(
    front: Endpoint, played: Played, status: int, answer: Any, expected: int, said: str
) -> None:
    played.answer = lambda rows: (status, answer)
    told = await front.client.post(INFER, json=v2_body(TWO))
    assert told.status_code == expected
    assert said in told.json()["error"]
    assert "boom" not in told.text
    assert ("retry-after" in told.headers) is (expected == 503)
    assert (await front.client.get("/ping")).status_code == 200


async def test_ready_is_what_ping_says(front: Endpoint, model: ContainerModel, played: Played) -> None:
    for ping, ready in ((200, 200), (500, 503), (200, 200)):
        played.ping = ping
        await asyncio.to_thread(model.look)
        assert (await front.client.get("/v2/health/ready")).status_code == ready
        assert (await front.client.get("/ping")).status_code == ready
        assert (await front.client.post(INFER, json=one())).status_code == ready
    assert len(played.bodies) == 2  # the one in between was not asked


async def test_a_container_that_hangs_keeps_one_batch_and_nobody_behind_it(
    where: Place, digest: str, classifier: LoadedModel, played: Played
) -> None:
    with containers.model(played.task(), classifier.manifest, seconds=0.3) as hung:
        async with before(where, digest, hung, played) as front:
            played.gate.clear()
            first = asyncio.create_task(front.client.post(INFER, json=one()))
            assert await asyncio.to_thread(played.arrived.wait, 10)
            others = [asyncio.create_task(front.client.post(INFER, json=one())) for _ in range(20)]
            async with asyncio.timeout(5):
                statuses = [(await task).status_code for task in (first, *others)]
            assert statuses == [504, *[503] * 20]
            assert len(played.bodies) == 1
            assert (await front.client.get("/ping")).status_code == 503
            played.gate.set()
            await asyncio.to_thread(hung.look)
            assert (await front.client.post(INFER, json=one())).status_code == 200


def test_a_container_that_is_busy_with_a_batch_is_not_given_up(model: ContainerModel, monkeypatch: Any) -> None:
    def slow(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.ReadTimeout("busy")

    monkeypatch.setattr(model.client, "get", slow)
    model.state.asked = True
    assert model.ping()
    model.state.asked = False
    assert not model.ping()


async def test_one_that_is_gone_is_told_at_once_and_watched_until_it_is_back(
    classifier: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PING_SECONDS", 0.05)
    with containers.container() as played:
        task = played.task()
    with containers.model(task, classifier.manifest) as model:
        assert not model.answers
        with pytest.raises(NotReadyError, match="does not answer /ping"):
            model.predict_columns(COLUMNS)
        model.state.answers = True
        with pytest.raises(NotReadyError, match="cannot be reached: ConnectError"):
            model.predict_columns(COLUMNS)
        assert not model.answers
        watching = asyncio.create_task(asyncio.to_thread(model.watch))
        with containers.container() as back:
            model.client.base_url = httpx.URL(f"http://127.0.0.1:{back.port}")
            async with asyncio.timeout(10):
                while not model.answers:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert model.predict_columns(COLUMNS).values == ["low", "high"]
        model.close()
        await watching


async def test_traffic_is_captured_as_ever(tmp_path: Any, played: Played) -> None:
    from tests.unit.serving_image.test_capture import read

    own = models.place(tmp_path)
    digest = models.publish(own, "classification")
    with containers.model(played.task(), models.load(own, digest).manifest) as model:
        async with before(own, digest, model, played) as front:
            await front.client.post(INFER, json=v2_body(TWO, id="pair"))
            await front.written()
    rows = read(own, "captures/shop/demo/")
    assert [(row["inference_id"], row["prediction"], row["f:region"]) for row in rows] == [
        ("pair/0", "low", "north"),
        ("pair/1", "high", None),
    ]


async def test_a_candidate_in_a_container_gets_its_share_and_is_compared(
    where: Place, digest: str, classifier: LoadedModel, model: ContainerModel, played: Played
) -> None:
    inverted = models.publish(where, "inverted")
    async with (
        before(where, inverted, model, played) as candidate,
        models.listening(candidate.app) as port,
        models.endpoint(where, where.task(digest), classifier, models.Service(port)) as stable,
    ):
        stable.serving.route(Routing(epoch="step-1", candidate="r2", weight=100))
        answer = await stable.client.post(INFER, json=v2_body(TWO))
        assert answer.json()["outputs"][0]["data"] == ["low", "high"]
        assert stable.serving.stats().compared == 2
    assert len(played.bodies) == 1


def test_tables_are_asked_as_columns_are(model: ContainerModel) -> None:
    assert model.predict(columns_table(COLUMNS, FEATURES)).values == ["low", "high"]


def test_loading_waits_for_ping_and_asks_the_example_rows(where: Place, digest: str, played: Played) -> None:
    played.ping = 503
    threading.Timer(0.8, lambda: setattr(played, "ping", 200)).start()
    found = loading.load(where.task(digest, container=played.task()), Reporter(CollectorRegistry()))
    model = found.predictor.model
    assert isinstance(model, ContainerModel)
    try:
        assert model.answers
        assert found.endpoint.manifest.features == FEATURES
        sent = [json.loads(body) for _, body in played.bodies]
        assert (
            sent == [[list(row) for row in zip(*(ROWS[f.name][:2] for f in FEATURES), strict=True)]] * loading.WARM_UPS
        )
    finally:
        model.close()
        assert all(spool.close(10) for spool in found.spools())


TRACEBACK = (
    "no model_fn\nTraceback (most recent call last):\n" + "  frame\n" * 99 + "NotImplementedError: no model_fn"
).encode()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, ["medium", "low"]), "'medium', which is no class of the model"),
        ((500, {"error": "no file model.bin"}), "no file model.bin"),
        ((500, TRACEBACK), "500 to /invocations: “no model_fn Traceback (most recent call last):"),
        ((500, TRACEBACK), "NotImplementedError: no model_fn”"),
        ((400, {"error": "send CSV"}), "send CSV"),
    ],
)
def test_a_container_that_fails_on_the_models_own_rows_does_not_serve(
    where: Place, digest: str, played: Played, answer: tuple[int, Any], said: str
) -> None:
    played.answer = lambda rows: answer
    with pytest.raises(UserFailure, match="the container fails on the model's example rows") as failed:
        loading.load(where.task(digest, container=played.task()), Reporter(CollectorRegistry()))
    assert said in failed.value.message
    assert len(played.bodies) == 1


def test_a_container_that_has_no_model_yet_is_waited_for_but_not_for_ever(
    where: Place, digest: str, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "CONTAINER_SECONDS", 1)
    monkeypatch.setattr(loading, "LOOK_EVERY", 0.1)
    played.answer = lambda rows: (503, b"no worker yet")
    with pytest.raises(UserFailure, match="no worker yet"):
        loading.load(where.task(digest, container=played.task()), Reporter(CollectorRegistry()))
    assert len(played.bodies) > 1


def test_a_refusal_is_the_callers_with_the_containers_words(model: ContainerModel, played: Played) -> None:
    played.answer = lambda rows: (422, {"detail": "hour must be below 24"})
    with pytest.raises(RequestError, match="hour must be below 24") as refused:
        model.predict_columns(COLUMNS)
    assert refused.value.status == 400
