"""What an attempt of the gate means."""

from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard.api.drift import DriftMonitorSpec, DriftMonitorStatus, RetrainStatus
from modelyard.api.serving import Revision
from modelyard.contract.reasons import Reason
from modelyard.contract.results import GateResult
from modelyard.plan.check import check_task, gate_task
from modelyard.plan.failure import user, world
from modelyard.plan.gate import judged, wait
from modelyard.plan.results import Attempt
from modelyard.plan.retrain import Loop
from modelyard.plan.settings import Settings
from tests.unit.plan.builders import deployment

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
CHAMPION = "sha256:" + "a" * 64
CHALLENGER = "sha256:" + "c" * 64
STABLE = Revision(revision="a" * 8, model_digest=CHAMPION, training_job="churn", since="2026-01-01T00:00:00Z")
MONITOR = {"metadata": {"name": "m", "namespace": "ns", "uid": "m-uid"}}


def spec(**checks: Any) -> DriftMonitorSpec:
    gate = {"timeout": "1h", "newerRows": 400, "minImprovement": "0.01"}
    return DriftMonitorSpec.model_validate(
        {"modelDeploymentRef": {"name": "churn"}, "checks": checks, "retrain": {"gate": gate, "cooldown": "1h"}}
    )


def gating(attempt: int = 1, started: str = "2026-01-01T11:50:00Z") -> Loop:
    retrain = RetrainStatus(
        id="0a1b2c3d",
        trigger="Performance",
        state="Gating",
        training_job="churn-r-0a1b2c3d",
        champion_digest=CHAMPION,
        requested_at="2026-01-01T11:00:00Z",
        gate_attempt=attempt,
        gate_started_at=started,
    )
    return Loop(MONITOR, spec(), DriftMonitorStatus(retrain=retrain), STABLE, {}, "churn", NOW)


def result(verdict: str) -> GateResult:
    return GateResult.model_validate(
        {
            "verdict": verdict,
            "metric": "accuracy",
            "champion": 0.7,
            "challenger": 0.82,
            "difference": 0.12,
            "lower": 0.09,
            "rows": 400,
            "message": "accuracy 0.82 against 0.7",
        }
    )


def ended(verdict: str, at: str = "2026-01-01T11:59:00Z") -> Attempt:
    return Attempt("Succeeded", result(verdict), ended_at=at)


def test_a_passed_gate_promotes_with_its_figures() -> None:
    after = judged(gating(), ended("Promote", "2026-01-01T11:59:00Z"))
    assert after.current.state == "Promoted"
    assert after.current.gate is not None
    assert (after.current.gate.challenger, after.current.gate.lower) == ("0.82", "0.09")
    assert after.status.history[-1].promoted
    assert after.status.history[-1].message == "churn-r-0a1b2c3d passed the gate: accuracy 0.82 against 0.7"


def test_a_refused_model_is_never_promoted() -> None:
    after = judged(gating(), ended("Refuse", "2026-01-01T11:59:00Z"))
    assert (after.current.state, after.status.history[-1].promoted) == ("Refused", False)
    assert [e.type for e in after.events] == ["Warning"]


def test_too_few_rows_are_looked_for_again_after_a_pause() -> None:
    recent = ended("InsufficientData", "2026-01-01T11:59:30Z")
    early = judged(gating(), recent)
    assert (early.current.state, early.current.gate_attempt) == ("Gating", 1)
    assert wait(early, recent) == 30
    due = judged(gating(), ended("InsufficientData"))
    assert (due.current.state, due.current.gate_attempt) == ("Gating", 2)
    assert due.events == ()


def test_without_enough_rows_until_the_timeout_the_model_is_refused() -> None:
    after = judged(gating(7, started="2026-01-01T11:00:00Z"), ended("InsufficientData", "2026-01-01T11:59:59Z"))
    assert after.current.state == "Refused"
    assert "retrain.gate.timeout (1h)" in after.status.history[-1].message


def test_a_timeout_without_any_result_is_not_held_against_the_model() -> None:
    lost = Attempt("Failed", failure=world(Reason.NODE_LOST, "gone"), ended_at="2026-01-01T11:59:59Z")
    after = judged(gating(2, started="2026-01-01T11:00:00Z"), lost)
    assert (after.current.state, after.status.refused_in_a_row) == ("Failed", 0)
    assert "no attempt gave a result" in after.status.history[-1].message


def test_a_gate_that_cannot_work_is_a_failed_retraining() -> None:
    failure = user(Reason.MISSING_COLUMN, "column price is gone")
    after = judged(gating(), Attempt("Failed", failure=failure, ended_at="2026-01-01T11:59:00Z"))
    assert (after.current.state, after.events[0].reason) == ("Failed", Reason.RETRAIN_FAILED)
    assert "MissingColumn: column price is gone" in after.events[0].message


def test_a_gate_the_world_got_in_the_way_of_is_tried_five_times() -> None:
    lost = Attempt("Failed", failure=world(Reason.NODE_LOST, "gone"), ended_at="2026-01-01T11:50:00Z")
    for attempt in range(1, 5):
        assert judged(gating(attempt), lost).current.gate_attempt == attempt + 1
    assert judged(gating(5), lost).current.state == "Failed"


def test_a_gate_that_worked_before_is_tried_until_its_timeout() -> None:
    lost = Attempt("Failed", failure=world(Reason.NODE_LOST, "gone"), ended_at="2026-01-01T11:50:00Z")
    counted = judged(gating(6), ended("InsufficientData", "2026-01-01T11:50:00Z"))
    assert judged(counted, lost).current.gate_attempt == 8


def challenger(**spec_of_job: Any) -> dict[str, Any]:
    status = {
        "model": {"digest": CHALLENGER, "createdAt": "2026-01-01T11:40:00Z"},
        "datasetCheckedAt": "2026-01-01T11:30:00Z",
    }
    return {"metadata": {"name": "churn-r-0a1b2c3d"}, "spec": spec_of_job, "status": status}


def test_the_gate_judges_on_rows_newer_than_the_challengers_data() -> None:
    task = gate_task(MONITOR, spec(), STABLE, challenger(recipe={"task": "classification"}), None, Settings())
    assert task.newer_than == "2026-01-01T11:30:00Z"
    assert (task.champion.model_digest, task.challenger.model_digest) == (CHAMPION, CHALLENGER)
    assert (task.rows, task.min_improvement) == (400, 0.01)


@pytest.mark.parametrize(
    ("performance", "job", "metric"),
    [
        ({"metric": "rocAuc"}, {"recipe": {"task": "classification"}}, "rocAuc"),
        (None, {"recipe": {"task": "classification"}}, "accuracy"),
        (None, {"recipe": {"task": "regression"}}, "rmse"),
        (None, {"script": {"task": "regression"}}, "rmse"),
    ],
)
def test_the_gate_measures_what_is_watched(performance: Any, job: dict[str, Any], metric: str) -> None:
    watched = spec(performance=performance) if performance else spec()
    assert gate_task(MONITOR, watched, STABLE, challenger(**job), None, Settings()).metric == metric


@pytest.mark.parametrize(("asked", "allowed"), [(True, True), (True, False), (False, True), (None, True)])
def test_the_gate_loads_pickles_where_endpoint_and_chart_allow_it(asked: bool | None, allowed: bool) -> None:
    serving = None if asked is None else deployment().spec(allowUnsafeFormats=asked)
    job = challenger(recipe={"task": "classification"})
    task = gate_task(MONITOR, spec(), STABLE, job, serving, Settings(allow_unsafe_formats=allowed))
    assert task.allow_unsafe is (True if asked and allowed else None)


def test_a_check_compares_with_the_model_that_serves() -> None:
    watched = spec(performance={"metric": "accuracy", "maxDrop": "0.1"}, dataDrift={"effectFloor": "0.2"})
    task = check_task(MONITOR, watched, STABLE, Settings())
    assert (task.deployment, task.training_job, task.model_digest) == ("churn", "churn", CHAMPION)
    assert task.performance is not None
    assert task.data_drift is not None
    assert (task.performance.max_drop, task.data_drift.effect_floor) == (0.1, 0.2)
    assert (task.window.rows, task.window.max_age_seconds, task.label_max_delay_seconds) == (1000, None, 3600)
