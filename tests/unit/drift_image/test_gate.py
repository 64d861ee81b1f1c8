"""The gate: a model is promoted only where it is better beyond doubt, on rows neither has seen."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.reasons import Reason
from modelyard.contract.results import GateResult
from modelyard.contract.tasks import ModelTask
from modelyard_drift import gate as module
from modelyard_drift.gate import gate
from modelyard_kit.failure import UserFailure
from modelyard_kit.progress import Reporter
from tests.unit.drift_image.world import World, features, truth

HOUR = timedelta(hours=1)


@pytest.fixture
def good(world: World) -> ModelTask:
    return world.model("good")


@pytest.fixture
def bad(world: World) -> ModelTask:
    return world.model("bad", upside_down=0.9)


def _gate(world: World, champion: ModelTask, challenger: ModelTask, **changes: Any) -> GateResult:
    return gate(world.gate(champion, challenger, **changes), Reporter(CollectorRegistry()))


def _traffic(world: World, model: ModelTask, rows: int = 300, ago: timedelta = timedelta(minutes=5)) -> pa.Table:
    """Rows whose captured predictions say nothing, as the gate asks the models itself; all labelled."""
    table = features(rows, seed=5)
    world.label(world.capture(model, table, ["down"] * rows, ago=ago), truth(table))
    return table


@pytest.mark.parametrize("metric", ["accuracy", "f1", "rocAuc"])
def test_a_better_model_is_promoted(world: World, good: ModelTask, bad: ModelTask, metric: Any) -> None:
    _traffic(world, bad)
    result = _gate(world, bad, good, metric=metric)
    assert (result.verdict, result.rows) == ("Promote", 300)
    assert result.challenger is not None
    assert result.challenger > 0.9
    assert result.lower is not None
    assert result.difference is not None
    assert 0 < result.lower < result.difference
    report = json.loads(world.store.get(result.report or ""))
    assert report["result"]["verdict"] == "Promote"
    assert report["challengerDigest"] == good.model_digest


def test_a_worse_model_is_refused_with_the_figures(world: World, good: ModelTask, bad: ModelTask) -> None:
    _traffic(world, good)
    result = _gate(world, good, bad)
    assert result.verdict == "Refuse"
    assert result.difference is not None
    assert result.difference < -0.8
    assert f"{result.challenger:.4g}, the serving one's {result.champion:.4g}" in result.message
    assert "worse; with 95% confidence the improvement is at least" in result.message


def test_an_equal_model_is_refused_as_nothing_speaks_for_it(world: World, good: ModelTask) -> None:
    _traffic(world, good)
    result = _gate(world, good, world.model("twin", metrics={"accuracy": 0.5}))
    assert (result.verdict, result.difference, result.lower) == ("Refuse", 0.0, 0.0)


def test_an_improvement_below_what_is_asked_for_is_refused(world: World, good: ModelTask, bad: ModelTask) -> None:
    _traffic(world, bad)
    assert _gate(world, bad, good, min_improvement=0.99).verdict == "Refuse"


def test_only_labelled_rows_after_the_training_data_count(world: World, good: ModelTask, bad: ModelTask) -> None:
    _traffic(world, good, rows=150)
    _traffic(world, good, rows=400, ago=5 * HOUR)
    unlabelled = features(400, seed=6)
    world.capture(good, unlabelled, truth(unlabelled))
    result = _gate(world, good, bad)
    assert (result.verdict, result.rows, result.champion) == ("InsufficientData", 150, None)
    assert "150 labelled rows were captured after" in result.message
    assert "spec.retrain.gate.newerRows asks for 200" in result.message


def test_newer_rows_without_labels_do_not_crowd_out_labelled_ones(
    world: World, good: ModelTask, bad: ModelTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 250)
    _traffic(world, bad, ago=HOUR)
    unlabelled = features(400, seed=6)
    world.capture(good, unlabelled, truth(unlabelled))
    result = _gate(world, bad, good)
    assert (result.verdict, result.rows) == ("Promote", 250)


def test_no_traffic_at_all_is_insufficient(world: World, good: ModelTask, bad: ModelTask) -> None:
    assert (_gate(world, good, bad).verdict, _gate(world, good, bad).rows) == ("InsufficientData", 0)


def test_a_row_captured_by_both_models_counts_once(world: World, good: ModelTask, bad: ModelTask) -> None:
    table = features(150, seed=5)
    ids = world.capture(good, table, truth(table))
    world.label(ids, truth(table))
    [entry, *_] = world.store.entries("captures/ns/shop/")
    world.store.put(entry.path.replace("pod-", "candidate-"), world.store.get(entry.path))
    assert _gate(world, good, bad).rows == 150


def test_labels_of_one_class_leave_roc_auc_undecided(world: World, good: ModelTask, bad: ModelTask) -> None:
    table = features(300, seed=5)
    world.label(world.capture(good, table, truth(table)), ["up"] * 300)
    result = _gate(world, good, bad, metric="rocAuc")
    assert result.verdict == "InsufficientData"
    assert "undefined" in result.message


def test_a_regression_is_better_with_the_smaller_error(world: World) -> None:
    champion = world.model("old", upside_down=0.5, task="regression")
    challenger = world.model("new", task="regression")
    table = features(300, seed=5)
    noise = np.random.default_rng(0).normal(scale=0.1, size=300)
    wanted = (2 * np.asarray(table["x"]) + noise).tolist()
    world.label(world.capture(champion, table, [0.0] * 300), [repr(value) for value in wanted])
    result = _gate(world, champion, challenger, metric="mae")
    assert result.verdict == "Promote"
    assert result.champion is not None
    assert result.challenger is not None
    assert result.challenger < 0.1 < result.champion
    assert result.difference == pytest.approx(result.champion - result.challenger)


@pytest.mark.parametrize("marked", ["champion", "challenger"])
def test_a_model_of_what_is_not_captured_cannot_be_judged_and_the_way_out_is_named(world: World, marked: str) -> None:
    personal, plain = world.model("personal", pii=["colour"]), world.model("plain", upside_down=0.9)
    _traffic(world, plain)
    pair = (personal, plain) if marked == "champion" else (plain, personal)
    with pytest.raises(UserFailure, match=r"feature colour is in columns\.pii of Dataset d.*follow: Pinned") as caught:
        _gate(world, *pair)
    assert caught.value.reason == Reason.CONFIG_ERROR
