"""Checks on a real store: each verdict, and that broken data of any kind gives one instead of a crash."""

import json
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.results import CheckResult
from modelyard.contract.tasks import CheckTask, DataDriftTask, ModelTask, PerformanceTask, WindowTask
from modelyard_drift import check as checked
from modelyard_drift.html import render_html
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from tests.unit.drift_image.world import World, features, truth

DRIFT = {"data_drift": DataDriftTask()}
PERFORMANCE = {"performance": PerformanceTask(metric="accuracy", max_drop=0.05)}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[pa.Table]:
    """Evidently lives in the drift image only; what it would have drawn is kept here."""
    windows: list[pa.Table] = []

    def render(_store: Store, _sample: str | None, window: pa.Table, _path: str, _headline: str) -> None:
        windows.append(window)

    monkeypatch.setattr(checked, "render_html", render)
    return windows


@pytest.fixture
def model(world: World) -> ModelTask:
    return world.model("churn")


def _check(task: CheckTask) -> CheckResult:
    return checked.check(task, Reporter(CollectorRegistry()))


def _report(world: World, result: CheckResult) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.store.get(result.report))
    return found


def test_no_traffic_is_not_the_absence_of_drift(world: World, model: ModelTask) -> None:
    result = _check(world.check(model, **DRIFT))
    assert (result.verdict, result.rows, result.window_end) == ("NoRows", 0, None)
    assert "spec.capture.percent" in result.message
    assert _report(world, result)["result"]["verdict"] == "NoRows"


def test_only_answered_rows_of_this_model_within_the_age_count(world: World, model: ModelTask) -> None:
    table = features(200, seed=2)
    world.capture(model, table, truth(table), status=500)
    world.capture(ModelTask(training_job="other", model_digest="sha256:1"), table, truth(table))
    world.capture(model, table, truth(table), ago=30 * HOUR)
    world.capture(model, table.slice(0, 40), truth(table.slice(0, 40)))
    result = _check(world.check(model, window=WindowTask(rows=1000, min_rows=100, max_age_seconds=86400)))
    assert (result.verdict, result.rows) == ("InsufficientData", 40)
    assert "40 rows were captured in the last 24 h, spec.window.minRows asks for 100" in result.message


def test_the_same_traffic_as_in_training_is_stable(world: World, model: ModelTask, rendered: list[pa.Table]) -> None:
    table = features(600, seed=2)
    world.capture(model, table, truth(table))
    result = _check(world.check(model, **DRIFT))
    assert (result.verdict, result.columns, result.drifted_columns) == ("Stable", 3, 0)
    assert len(result.worst) == 3  # how far the columns moved is worth knowing, too
    assert result.html is None
    assert not rendered
    assert result.min_detectable_effect is not None
    assert 0.1 < result.min_detectable_effect < 0.3
    assert [c["column"] for c in _report(world, result)["columns"]]


def test_shifted_traffic_has_drifted_in_inputs_and_predictions(
    world: World, model: ModelTask, rendered: list[pa.Table]
) -> None:
    table = features(600, seed=2, shift=0.8)
    world.capture(model, table, truth(table))
    result = _check(world.check(model, **DRIFT))
    assert (result.verdict, result.drifted_columns) == ("Drifted", 2)
    assert {finding.column for finding in result.worst} == {"x", "prediction", "colour"}
    assert all(finding.effect > finding.threshold for finding in result.worst[:2])
    assert result.html == result.report.replace(".json", ".html")
    assert [window.num_rows for window in rendered] == [600]


def test_the_window_is_the_newest_rows(world: World, model: ModelTask) -> None:
    for age in range(4):
        table = features(300, seed=age, shift=0.0 if age < 2 else 3.0)
        world.capture(model, table, truth(table), ago=age * HOUR)
    assert _check(world.check(model, window=WindowTask(rows=500, min_rows=100), **DRIFT)).verdict == "Stable"
    assert _check(world.check(model, window=WindowTask(rows=5000, min_rows=100), **DRIFT)).verdict == "Drifted"


def test_hours_that_are_not_needed_are_not_read(
    world: World, model: ModelTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in range(0, 60, 6):
        table = features(120, seed=age)
        world.capture(model, table, truth(table), ago=age * HOUR + timedelta(minutes=1))
    got: list[str] = []
    get = Store.get
    monkeypatch.setattr(Store, "get", lambda self, path: got.append(path) or get(self, path))  # type: ignore[func-returns-value]
    assert _check(world.check(model, window=WindowTask(rows=200, min_rows=100), **DRIFT)).rows == 200
    assert len([path for path in got if path.startswith("captures/")]) <= 4  # two windows of rows, each in 1-2 hours


def test_hundreds_of_small_files_are_one_window(world: World, model: ModelTask) -> None:
    table = features(900, seed=3)
    known = truth(table)
    for row in range(0, 900, 3):
        world.capture(model, table.slice(row, 3), known[row : row + 3], ago=timedelta(seconds=900 - row))
    result = _check(world.check(model, **DRIFT))
    assert (result.verdict, result.rows) == ("Stable", 900)


def test_a_file_that_is_no_parquet_is_left_out_and_counted(world: World, model: ModelTask) -> None:
    table = features(300, seed=3)
    world.capture(model, table, truth(table))
    [entry, *_] = world.store.entries("captures/ns/shop/")
    world.store.put(entry.path.replace("pod-", "broken-"), b"PAR1 not really")
    result = _check(world.check(model, **DRIFT))
    assert (result.verdict, result.rows) == ("Stable", 300)
    assert _report(world, result)["unreadableFiles"] == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["x"]), "column x is missing in the captured rows"),
        (lambda t: t.set_column(0, "x", pa.nulls(t.num_rows, pa.float64())), "column x is empty in all 400 rows"),
        (lambda t: t.set_column(0, "x", pa.array([float("nan")] * 400)), "column x is empty in all 400 rows"),
        (
            lambda t: t.set_column(0, "x", pa.array([None if i % 3 else 0.5 for i in range(400)])),
            "column x is empty in 66% of 400 rows, in training in 0%; allowed is an increase by 5%",
        ),
        (
            lambda t: t.set_column(0, "x", pa.array([f"about {i}" for i in range(400)])),
            "column x came as string, the model was trained on float64",
        ),
        (
            lambda t: t.set_column(1, "colour", pa.array(["mauve" if i % 4 == 0 else "red" for i in range(400)])),
            "column colour holds categories that training did not have in 25% of 400 rows; allowed are 5%",
        ),
    ],
)
def test_broken_data_is_named_whatever_else_is_found(world: World, model: ModelTask, change: Any, words: str) -> None:
    table = features(400, seed=2)
    world.capture(model, change(table), truth(table))
    result = _check(world.check(model, **DRIFT))
    assert result.verdict == "QualityViolation"
    assert words in result.quality_findings[0]
    assert words in result.message
    assert _check(world.check(model, quality=False, **DRIFT)).verdict in ("Stable", "Drifted")


def test_a_few_unusual_rows_of_a_small_window_are_chance(world: World, model: ModelTask) -> None:
    table = features(100, seed=2)
    values = [None] * 4 + table["x"].to_pylist()[4:]
    world.capture(model, table.set_column(0, "x", pa.array(values, pa.float64())), truth(table))
    assert _check(world.check(model)).verdict == "Stable"


def test_wrong_predictions_are_decay_even_where_inputs_drift_too(world: World, model: ModelTask) -> None:
    table = features(600, seed=2, shift=0.8)
    ids = world.capture(model, table, truth(table))
    known = truth(table)
    world.label(ids[:400], ["other" if i * i % 7 == 2 else label for i, label in enumerate(known[:400])])
    result = _check(world.check(model, **DRIFT, **PERFORMANCE, label_max_delay_seconds=0))
    assert result.verdict == "Degraded"
    assert result.drifted_columns == 2
    found = result.performance
    assert found is not None
    assert (found.rows, found.degraded) == (400, True)
    assert found.baseline == 0.98
    assert found.lower < found.value < found.upper < 0.93
    assert found.coverage == pytest.approx(400 / 600)
    assert f"accuracy is {found.value:.3g}" in result.message


def test_a_drop_within_its_margin_is_no_decay(world: World, model: ModelTask) -> None:
    table = features(600, seed=2)
    known = truth(table)
    ids = world.capture(model, table, known)
    world.label(ids, ["up" if i % 20 == 0 else label for i, label in enumerate(known)])
    result = _check(world.check(model, **PERFORMANCE))
    assert result.verdict == "Stable"
    assert result.performance is not None
    assert not result.performance.degraded


def test_rows_too_young_for_their_label_do_not_lower_the_coverage(world: World, model: ModelTask) -> None:
    old, young = features(200, seed=2), features(200, seed=3)
    ids = world.capture(model, old, truth(old), ago=3 * HOUR)
    world.label(ids[:150], truth(old)[:150])
    early = world.capture(model, young, truth(young))
    world.label(early[:10], truth(young)[:10])
    found = _check(world.check(model, **PERFORMANCE, label_max_delay_seconds=3600)).performance
    assert found is not None
    assert found.rows == 160
    assert found.coverage == pytest.approx(160 / 210)


def test_where_labels_come_late_performance_is_of_rows_older_than_the_window(world: World, model: ModelTask) -> None:
    old, young = features(300, seed=2), features(300, seed=3)
    ids = world.capture(model, old, truth(old), ago=3 * HOUR)
    world.label(ids, truth(old))
    world.capture(model, young, truth(young))
    window = WindowTask(rows=200, min_rows=100)
    result = _check(world.check(model, window=window, **PERFORMANCE, label_max_delay_seconds=3600))
    assert result.rows == 200
    assert result.performance is not None
    assert (result.performance.rows, result.performance.coverage) == (200, 1.0)
    window = WindowTask(rows=200, min_rows=100, max_age_seconds=7200)
    result = _check(world.check(model, window=window, **PERFORMANCE, label_max_delay_seconds=3600))
    assert result.performance is None
    assert "0 of 0 mature rows have labels" in result.message


def test_too_few_labels_say_so_and_judge_nothing(world: World, model: ModelTask) -> None:
    table = features(300, seed=2)
    ids = world.capture(model, table, truth(table), ago=2 * HOUR)
    world.label(ids[:49], ["up"] * 49)
    result = _check(world.check(model, **DRIFT, **PERFORMANCE))
    assert (result.verdict, result.performance) == ("Stable", None)
    assert "49 of 300 mature rows have labels, 50 are needed" in result.message


def test_of_several_labels_the_newest_counts(world: World, model: ModelTask) -> None:
    table = features(200, seed=2)
    ids = world.capture(model, table, truth(table), ago=3 * HOUR)
    world.label(ids, truth(table), ago=timedelta(minutes=1))
    world.label(ids, ["up"] * 200, ago=2 * HOUR)
    found = _check(world.check(model, **PERFORMANCE)).performance
    assert found is not None
    assert found.value == 1.0


@pytest.mark.parametrize(("metric", "decayed"), [("f1", False), ("rocAuc", True)])
def test_other_metrics_of_a_classifier(world: World, model: ModelTask, metric: Any, decayed: bool) -> None:
    """All predictions are right, but the scores say the opposite of what they should for half of them."""
    table = features(300, seed=2)
    ids = world.capture(model, table, truth(table), scores=[0.1 if i % 2 else 0.9 for i in range(300)])
    world.label(ids, truth(table))
    task = PerformanceTask(metric=metric, max_drop=0.05)
    found = _check(world.check(model, performance=task)).performance
    assert found is not None
    assert found.degraded is decayed


def test_a_regression_decays_upwards(world: World) -> None:
    model = world.model("price", task="regression", metrics={"mae": 0.1})
    table = features(300, seed=2)
    predicted = [2 * value for value in table["x"].to_pylist()]
    ids = world.capture(model, table, predicted)
    world.label(ids, [repr(value + 0.5) for value in predicted])
    task = world.check(model, performance=PerformanceTask(metric="mae", max_drop=0.2), **DRIFT)
    result = _check(task)
    assert result.verdict == "Degraded"
    assert result.performance is not None
    assert result.performance.value == pytest.approx(0.5)


def test_labels_that_are_no_numbers_do_not_count_for_a_regression(world: World) -> None:
    model = world.model("price", task="regression", metrics={"mae": 0.1})
    table = features(200, seed=2)
    ids = world.capture(model, table, table["x"].to_pylist(), ago=2 * HOUR)
    world.label(ids, ["1.5"] * 100 + ["nan"] * 50 + ["about two"] * 50)
    found = _check(world.check(model, performance=PerformanceTask(metric="mae"))).performance
    assert found is not None
    assert (found.rows, found.coverage) == (100, 0.5)


def test_a_report_that_cannot_be_drawn_does_not_fail_the_check(
    world: World, model: ModelTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "render_html", render_html)  # the real one: there is no Evidently here
    table = features(300, seed=2, shift=1)
    world.capture(model, table, truth(table))
    result = _check(world.check(model, **DRIFT))
    assert (result.verdict, result.html) == ("Drifted", None)
    assert "Evidently ended with code 1: ModuleNotFoundError" in _report(world, result)["htmlError"]


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "Stable"), (2.0, "Drifted")])
def test_what_is_not_captured_is_no_broken_data_and_hides_no_drift(
    world: World, rendered: list[pa.Table], shift: float, verdict: str
) -> None:
    model = world.model("personal", pii=["colour"])
    table = features(500, seed=3, shift=shift)
    hidden = table.set_column(1, "colour", pa.nulls(500, pa.string()))
    world.capture(model, hidden, truth(features(500, seed=3)))
    result = _check(world.check(model, quality=True, **DRIFT))
    assert (result.verdict, result.quality_findings) == (verdict, [])
    assert [column["column"] for column in _report(world, result)["columns"]] == ["x", "prediction"]
    assert all("colour" not in window.column_names for window in rendered)
