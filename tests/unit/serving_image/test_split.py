"""The canary split: who answers, who captures, what is counted; with a real second server on the loopback."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.capture import PREDICTION, sampled
from modelyard.contract.progress import Routing
from modelyard.contract.store import captures
from modelyard_kit.model import LoadedModel
from modelyard_kit.skops_format import SklearnModel
from modelyard_serving.errors import RequestError
from modelyard_serving.routing import candidate_url, check_routing, disagreements, takes_candidate
from tests.unit.serving_image import models
from tests.unit.serving_image.models import Endpoint, Place, Service, v2_body
from tests.unit.serving_image.test_capture import read
from tests.unit.serving_image.test_patience import Stuck, begun

INFER = "/v2/models/demo/infer"
ROWS: dict[str, list[Any]] = {"price": [3.5, 30.5], "region": ["north", None], "hour": [1, 2]}
ALL = Routing(epoch="step-1", candidate="r2", weight=100)


@dataclass(frozen=True)
class Canary:
    where: Place
    stable: Endpoint
    candidate: Endpoint
    service: Service

    async def captured(self) -> list[tuple[str, str, str | None]]:
        """Id, variant and prediction of every captured row."""
        await self.stable.written()
        await self.candidate.written()
        rows = read(self.where, captures("shop", "demo"))
        return sorted((row["inference_id"], row["variant"], row[PREDICTION]) for row in rows)


@asynccontextmanager
async def canary(
    folder: Path,
    kind: models.Kind = "inverted",
    estimator: object = None,
    patience: float | httpx.Timeout = 5.0,
) -> AsyncIterator[Canary]:
    """A stable classifier r1, and r2 with a model of `kind`, or the classifier's manifest with `estimator`."""
    where = models.place(folder)
    digest, other = models.publish(where, "classification"), models.publish(where, kind)
    second = models.load(where, other)
    if estimator is not None:
        second = SklearnModel(second.manifest, estimator)
    async with (
        models.endpoint(where, where.task(other, "r2"), second) as candidate,
        models.listening(candidate.app) as port,
    ):
        service = Service(port)
        first = models.load(where, digest)
        async with models.endpoint(where, where.task(digest), first, service, patience) as stable:
            yield Canary(where, stable, candidate, service)


async def test_the_candidate_answers_its_share_and_alone_captures_it(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        answer = (await both.stable.client.post(INFER, json=v2_body(ROWS, id="a"))).json()
        assert (answer["id"], answer["model_version"]) == ("a", "r2")
        assert answer["outputs"][0]["data"] == ["high", "low"]
        assert both.service.asked == ["http://demo-r2:8080"]
        assert await both.captured() == [("a/0", "candidate", "high"), ("a/1", "candidate", "low")]


async def test_both_opinions_are_counted(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        await both.stable.client.post(INFER, json=v2_body(ROWS))
        await both.stable.client.post("/invocations", json={"inputs": ROWS}, headers={"accept": "text/csv"})
        stats = both.stable.serving.stats()
    assert (stats.epoch, stats.compared, stats.disagreed) == ("step-1", 4, 4)
    assert (stats.candidate.requests, stats.candidate.errors, sum(stats.candidate.latency)) == (2, 0, 2)
    assert (stats.stable.requests, stats.stable.errors, sum(stats.stable.latency)) == (2, 0, 2)


@pytest.mark.parametrize(("name", "value"), [("x-request-id", "bücher-1"), ("accept", "application/json; name=ü")])
async def test_a_header_that_is_not_ascii_reaches_the_candidate_as_it_came(
    tmp_path: Path, name: str, value: str
) -> None:
    headers = [(name.encode(), value.encode("latin-1"))]
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        answer = await both.stable.client.post(
            "/v1/models/demo:predict", content=b'{"instances": [[3.5, "north", 1]]}', headers=headers
        )
        assert (answer.status_code, answer.json()) == (200, {"predictions": ["high"]})
        if name == "x-request-id":
            assert [identity for identity, _, _ in await both.captured()] == ["bücher-1"]


async def test_equal_models_agree(tmp_path: Path) -> None:
    async with canary(tmp_path, kind="classification") as both:
        both.stable.serving.route(ALL)
        await both.stable.client.post(INFER, json=v2_body(ROWS))
        stats = both.stable.serving.stats()
    assert (stats.compared, stats.disagreed) == (2, 0)


async def test_an_id_that_the_server_chose_is_the_same_on_both_sides(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        one = (await both.stable.client.post(INFER, json=v2_body(ROWS))).json()["id"]
        two = (await both.stable.client.post("/invocations", json={"inputs": ROWS})).json()["inference_id"]
        v1 = await both.stable.client.post("/v1/models/demo:predict", json={"instances": [[3.5, "north", 1]]})
        ids = {identity.partition("/")[0] for identity, _, _ in await both.captured()}
    assert v1.json() == {"predictions": ["high"]}  # the candidate's
    assert ids == {one, two, v1.headers["x-request-id"]}


async def test_the_share_is_the_weight_and_every_request_is_captured_once(tmp_path: Path) -> None:
    ids = [f"call-{number}" for number in range(60)]
    routing = Routing(epoch="step-1", candidate="r2", weight=30)
    async with canary(tmp_path) as both:
        both.stable.serving.route(routing)
        for identity in ids:
            single = v2_body({name: values[:1] for name, values in ROWS.items()}, id=identity)
            await both.stable.client.post(INFER, json=single)
        captured = await both.captured()
    expected = {i: "candidate" if takes_candidate(routing, i) else "stable" for i in ids}
    assert {identity: variant for identity, variant, _ in captured} == expected
    assert len(captured) == len(ids)
    assert 0 < list(expected.values()).count("candidate") < len(ids)


class Broken:
    """An estimator that fails."""


class Slow(Stuck):
    """Known as slow by its first call, as after a warm-up: then it works in its thread and this process's loop is
    free."""

    def predict_proba(self, frame: Any) -> list[list[float]]:
        if not self.asked:
            time.sleep(0.1)
        return super().predict_proba(frame)


async def test_a_candidate_that_fails_is_counted_and_the_user_sees_the_stable_answer(tmp_path: Path) -> None:
    async with canary(tmp_path, estimator=Broken()) as both:
        both.stable.serving.route(ALL)
        answer = await both.stable.client.post(INFER, json=v2_body(ROWS, id="a"))
        stats = both.stable.serving.stats()
        variants = sorted(variant for _, variant, _ in await both.captured())
    assert answer.status_code == 200
    assert answer.json()["model_version"] == "r1"
    assert (stats.candidate.requests, stats.candidate.errors, stats.compared) == (1, 1, 0)
    assert (stats.stable.requests, stats.stable.errors) == (1, 0)
    assert variants == ["stable", "stable"]


async def test_a_candidate_that_is_too_slow_is_counted_and_captures_nothing(tmp_path: Path) -> None:
    slow, patience = Slow(), httpx.Timeout(5.0, read=0.1)  # whatever happens, the candidate gets the request
    async with canary(tmp_path, estimator=slow, patience=patience) as both:
        both.stable.serving.route(ALL)
        assert both.candidate.serving.loaded is not None
        batcher = both.candidate.serving.loaded.predictor._batcher
        await both.candidate.client.post(INFER, json=v2_body(ROWS, id="warm-up"))
        answer = await both.stable.client.post(INFER, json=v2_body(ROWS, id="a"))
        stats = both.stable.serving.stats()
        await begun(slow)
        async with asyncio.timeout(5):
            while both.candidate.serving.in_flight:  # noqa: ASYNC110 - until it sees that nobody waits
                await asyncio.sleep(0.01)
            slow.go.set()
            while batcher._busy:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        captured = [(identity, variant) for identity, variant, _ in await both.captured() if identity[0] == "a"]
    assert answer.json()["model_version"] == "r1"
    assert (stats.candidate.requests, stats.candidate.errors) == (1, 1)
    assert captured == [("a/0", "stable"), ("a/1", "stable")]


async def test_a_candidate_that_is_not_there_costs_the_user_nothing(where: Place, classifier: LoadedModel) -> None:
    digest = models.publish(where, "classification")
    async with models.endpoint(where, where.task(digest), classifier, Service(9)) as stable:
        stable.serving.route(ALL)
        answer = await stable.client.post(INFER, json=v2_body(ROWS))
        stats = stable.serving.stats()
    assert answer.status_code == 200
    assert (stats.candidate.requests, stats.candidate.errors) == (1, 1)


async def test_a_forwarded_request_is_never_sent_on_again(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        both.candidate.serving.route(Routing(epoch="step-1", candidate="r1", weight=100))
        answer = await both.stable.client.post(INFER, json=v2_body(ROWS))
    assert answer.json()["model_version"] == "r2"
    assert len(both.service.asked) == 1


async def test_a_version_in_the_path_and_a_wrong_request_stay_here(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        pinned = await both.stable.client.post("/v2/models/demo/versions/r1/infer", json=v2_body(ROWS))
        wrong = await both.stable.client.post(INFER, json={"inputs": []})
    assert pinned.json()["model_version"] == "r1"
    assert wrong.status_code == 400
    assert both.service.asked == []


async def test_a_new_epoch_starts_at_zero_and_the_same_one_goes_on(served: Endpoint) -> None:
    await served.client.post(INFER, json=v2_body(ROWS))
    served.serving.route(Routing(epoch="one"))
    assert served.serving.stats().stable.requests == 0
    await served.client.post(INFER, json=v2_body(ROWS))
    served.serving.route(Routing(epoch="one", candidate="r2", weight=0))
    assert served.serving.stats().stable.requests == 1


@pytest.mark.parametrize(
    "routing",
    [
        Routing(epoch="e", candidate="r2", weight=101),
        Routing(epoch="e", candidate="r2", weight=-1),
        Routing(epoch="e", weight=5),
        Routing(epoch="e", shadow=5),
        Routing(epoch="e", candidate="r2", shadow=101),
        Routing(epoch="e", candidate="r2", weight=60, shadow=50),
        Routing(epoch="e", candidate="r1", weight=5),
        Routing(epoch="e", candidate="", weight=5),
        Routing(epoch="e", candidate="r2\n", weight=5),
        Routing(epoch="e", candidate="r2.evil.example", weight=5),
        Routing(epoch="e", candidate="evil/../r2", weight=5),
        Routing(epoch="e", candidate="R2", weight=5),
        Routing(epoch="e", candidate="a" * 17, weight=5),
    ],
)
def test_only_a_revision_can_be_a_candidate(routing: Routing) -> None:
    with pytest.raises(RequestError) as refused:
        check_routing(routing, "r1")
    assert refused.value.status == 400


def test_the_candidates_address_is_its_service() -> None:
    assert candidate_url("churn", "ab12") == "http://churn-ab12:8080"


@given(st.text(), st.integers(0, 100), st.integers(0, 100))
def test_an_id_stays_with_the_candidate_while_the_weight_rises(identity: str, one: int, two: int) -> None:
    low, high = sorted((one, two))
    routed = [takes_candidate(Routing(epoch=str(w), candidate="r2", weight=w), identity) for w in (0, low, high, 100)]
    assert routed == sorted(routed)
    assert (routed[0], routed[-1]) == (False, True)


def test_the_share_is_the_weight_and_independent_of_what_is_captured() -> None:
    ids = [f"call-{number}" for number in range(20_000)]
    taken = [takes_candidate(Routing(epoch="e", candidate="r2", weight=10), i) for i in ids]
    assert sum(taken) / len(ids) == pytest.approx(0.1, abs=0.01)
    kept = [sampled(i, 50) for i, routed in zip(ids, taken, strict=True) if routed]
    assert sum(kept) / len(kept) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("own", "other", "numeric", "expected"),
    [
        (["a", "b"], ["a", "c"], False, 1),
        ([1.0, -2.0, 0.0], [1.005, -2.5, 0.0], True, 1),
        ([100.0], ["100.5"], True, 0),
        ([0.0], [1e-6], True, 1),
    ],
)
def test_rows_disagree_by_class_or_by_more_than_a_hundredth(
    own: list[Any], other: list[Any], numeric: bool, expected: int
) -> None:
    assert disagreements(own, other, numeric) == expected


def test_answers_of_different_lengths_cannot_be_compared() -> None:
    with pytest.raises(ValueError):
        disagreements(["a", "b"], ["a"], False)
