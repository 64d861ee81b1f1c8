"""The shadow: the candidate is asked beside, both predictions are kept, and no caller notices."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.capture import PREDICTION
from modelyard.contract.progress import Routing
from modelyard.contract.store import shadows
from modelyard_serving.routing import is_shadowed, takes_candidate
from tests.unit.serving_image.models import Endpoint, v2_body
from tests.unit.serving_image.test_capture import read
from tests.unit.serving_image.test_split import INFER, ROWS, Broken, canary

ALL = Routing(epoch="step-1", candidate="r2", shadow=100)


async def asked(stable: Endpoint) -> None:
    """Until the candidate has answered, or not, all that it was asked beside."""
    await asyncio.gather(*stable.serving.asked_beside)


async def test_callers_get_the_stable_answer_and_both_predictions_are_kept(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        answer = (await both.stable.client.post(INFER, json=v2_body(ROWS, id="a"))).json()
        single = await both.stable.client.post("/invocations", json={"instances": [[3.5, "north", 1]]})
        await asked(both.stable)
        stats = both.stable.serving.stats()
        captured = await both.captured()
        pairs = read(both.where, shadows("shop", "demo"))
    assert (answer["model_version"], answer["outputs"][0]["data"]) == ("r1", ["low", "high"])
    assert both.service.asked == ["http://demo-r2:8080"] * 2
    assert {variant for _, variant, _ in captured} == {"stable"}
    assert (stats.compared, stats.disagreed, stats.candidate.requests, stats.stable.requests) == (3, 3, 2, 2)
    found = sorted((pair["inference_id"], pair["revision"], pair[PREDICTION], pair["shadow"]) for pair in pairs)
    expected = [
        ("a/0", "r2", "low", "high"),
        ("a/1", "r2", "high", "low"),
        (single.json()["inference_id"], "r2", "low", "high"),
    ]
    assert found == sorted(expected)


async def test_a_candidate_that_fails_is_counted_and_nobody_notices(tmp_path: Path) -> None:
    async with canary(tmp_path, estimator=Broken()) as both:
        both.stable.serving.route(ALL)
        answer = await both.stable.client.post(INFER, json=v2_body(ROWS))
        await asked(both.stable)
        stats = both.stable.serving.stats()
    assert answer.status_code == 200
    assert (stats.candidate.requests, stats.candidate.errors, stats.compared) == (1, 1, 0)


async def test_what_a_slow_candidate_cannot_take_is_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelyard_serving.shadow.AT_ONCE", 0)
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        assert (await both.stable.client.post(INFER, json=v2_body(ROWS))).status_code == 200
        assert both.service.asked == []
        assert (
            'modelyard_forwarded_requests_total{result="left out"} 1.0'
            in (await both.stable.client.get("/metrics")).text
        )


async def test_what_does_not_fit_in_the_buffer_is_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with canary(tmp_path) as both:
        names = [f'modelyard_shadow_records_total{{result="{result}"}}' for result in ("dropped", "written")]
        text = (await both.stable.client.get("/metrics")).text
        assert [f"{name} 0.0" in text for name in names] == [True, True]
        both.stable.serving.route(ALL)
        await both.stable.client.post(INFER, json=v2_body(ROWS))
        await asked(both.stable)
        monkeypatch.setattr("modelyard_serving.spool.MAX_ROWS", 3)
        for _ in range(2):
            await both.stable.client.post(INFER, json=v2_body(ROWS))
            await asked(both.stable)
        assert "modelyard_shadow_records_buffered 2.0" in (await both.stable.client.get("/metrics")).text
        await both.captured()
        text = (await both.stable.client.get("/metrics")).text
        assert [f"{name} {count}" in text for name, count in zip(names, (4.0, 2.0), strict=True)] == [True, True]


async def test_a_version_in_the_path_is_asked_alone(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(ALL)
        await both.stable.client.post("/v2/models/demo/versions/r1/infer", json=v2_body(ROWS))
        assert both.service.asked == []


@given(st.text(), st.integers(0, 100), st.integers(0, 100))
def test_nobody_is_both_shadowed_and_answered_by_the_candidate(identity: str, weight: int, shadow: int) -> None:
    routing = Routing(epoch="e", candidate="r2", weight=weight, shadow=min(shadow, 100 - weight))
    assert not (takes_candidate(routing, identity) and is_shadowed(routing, identity))


def test_the_share_that_is_shadowed_is_what_was_said() -> None:
    routing = Routing(epoch="e", candidate="r2", weight=10, shadow=20)
    taken = [is_shadowed(routing, f"call-{number}") for number in range(20_000)]
    assert sum(taken) / len(taken) == pytest.approx(0.2, abs=0.01)
