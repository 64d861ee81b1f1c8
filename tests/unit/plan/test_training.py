"""The life of a TrainingJob: waiting for data, attempts, result, approval."""

from typing import Any

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.results import TrainResult
from modelyard.contract.tasks import TrainTask
from modelyard.plan.plan import Key
from modelyard.plan.settings import Settings
from modelyard.plan.training import plan_training
from tests.unit.plan import promises
from tests.unit.plan.builders import (
    NOW,
    Built,
    dataset,
    digest,
    monitor,
    observed,
    ready_dataset,
    task_in,
    training_job,
)
from tests.unit.plan.simulation import Simulation


def trained(**metrics: float) -> TrainResult:
    return TrainResult(
        model_digest=digest("a"),
        format="skops",
        metrics=metrics or {"accuracy": 0.8612345678, "logLoss": 0.000012345678},
        profile_digest=digest("e"),
        train_rows=800,
        test_rows=1100,
        bytes=4096,
    )


def simulation(resource: Built | None = None, *related: Built) -> Simulation:
    return Simulation(plan_training, resource or training_job(), *(related or (ready_dataset(),)))


def running(resource: Built | None = None) -> Simulation:
    it = simulation(resource)
    it.settle()
    it.pod()
    it.settle()
    return it


def succeeded(resource: Built | None = None, **metrics: float) -> Simulation:
    it = running(resource)
    it.finish(trained(**metrics))
    it.settle()
    return it


def retrained() -> Built:
    trigger = {"driftMonitorRef": {"name": "w"}, "rootRef": {"name": "t"}, "reason": "Performance"}
    return training_job("t-r-1").spec(trigger=trigger)


def task_of(it: Simulation) -> TrainTask:
    return TrainTask.model_validate_json(task_in(it.children["Job", it.status["job"]]))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ((), "Dataset d does not exist: create it"),
        ((dataset(),), "Dataset d is not ready: nothing was built yet"),
        (
            (dataset().status(phase="Failed").condition("Ready", "False", "InvalidSql", "no column x"),),
            "Dataset d is not ready: InvalidSql: no column x",
        ),
        ((ready_dataset().metadata(generation=2),), "Dataset d is not ready"),
        ((ready_dataset().status(phase="Building"),), "Dataset d is not ready"),
    ],
    ids=["missing", "new", "failed", "changed", "building"],
)
def test_nothing_starts_without_data(data: tuple[Built, ...], told: str) -> None:
    it = Simulation(plan_training, training_job(), *data)
    plan = it.settle()
    assert (plan.apply, it.status["phase"]) == ((), "Pending")
    assert it.told() == ("False", "WaitingForDataset")
    assert told in it.condition("Ready")["message"]
    assert it.condition("Reconciling")["status"] == "True"


def test_the_version_is_pinned_when_the_run_starts() -> None:
    it = simulation()
    it.settle()
    assert it.status["datasetDigest"] == digest("d")
    assert it.status["datasetCheckedAt"] == "2026-03-01T11:00:00Z"
    assert task_of(it).dataset_digest == digest("d")
    it.related = [ready_dataset(version="c")]
    assert it.settle().apply == ()
    assert it.status["datasetDigest"] == digest("d")


def test_a_digest_in_the_spec_needs_no_dataset() -> None:
    it = Simulation(plan_training, training_job().spec(datasetRef={"name": "d", "digest": digest("b")}))
    it.settle()
    assert task_of(it).dataset_digest == digest("b")


def test_a_run_begins_on_what_its_dataset_is_now() -> None:
    """Both may be changed by one `kubectl apply`, and the Dataset's change be told later."""
    it = simulation()
    assert it.step().relies_on == (Key("Dataset", "ns", "d"),)
    assert it.step().relies_on == ()
    chosen = training_job().spec(datasetRef={"name": "d", "digest": digest("d")})
    assert simulation(chosen).step().relies_on == ()


def test_a_degraded_dataset_still_has_its_last_good_version() -> None:
    degraded = ready_dataset().status(phase="Degraded").condition("Stalled", reason="ExpectationFailed")
    it = simulation(None, degraded)
    it.settle()
    assert it.status["phase"] == "Starting"


def test_a_job_for_fresh_data_waits_until_the_sources_were_looked_at() -> None:
    after = "2026-03-01T11:30:00Z"
    it = simulation(training_job().spec(datasetRef={"name": "d", "checkedAfter": after}))
    it.settle()
    assert it.told() == ("False", "WaitingForDataset")
    assert "look at its sources again after 2026-03-01T11:30:00Z" in it.condition("Ready")["message"]
    it.related = [ready_dataset(version="c", checked="2026-03-01T11:30:01Z")]
    it.settle()
    assert it.status["datasetDigest"] == digest("c")


def test_a_job_for_fresh_data_is_not_served_old_data_when_the_new_was_rejected() -> None:
    after = "2026-03-01T11:30:00Z"
    fresh = ready_dataset(checked="2026-03-01T11:30:01Z").status(phase="Degraded", candidate={"digest": digest("b")})
    fresh = fresh.condition("Ready", "True", "ExpectationFailed", "price: 3 of 100 failed")
    it = simulation(training_job().spec(datasetRef={"name": "d", "checkedAfter": after}), fresh)
    it.settle()
    assert it.told() == ("False", "WaitingForDataset")
    assert "rejected: ExpectationFailed: price: 3 of 100 failed" in it.condition("Ready")["message"]


def test_a_recipe_is_passed_to_the_pod() -> None:
    it = running(training_job().spec(parameters={"depth": "3"}))
    task = task_of(it)
    assert (task.recipe, task.kind_of_task, task.parameters) == ("tabular", "classification", {"depth": "3"})
    assert (task.dataset_name, task.name, task.attempt) == ("d", "t", 1)


def test_an_inline_script_is_mounted_as_code() -> None:
    script = {"inline": "print(1)", "entryPoint": "fit.py", "task": "regression"}
    it = running(training_job().spec(recipe=None, script=script, image="team/train:1"))
    code = it.children["ConfigMap", f"{it.status['job']}-code"]
    assert code["data"] == {"fit.py": "print(1)"}
    assert (task_of(it).entry_point, task_of(it).kind_of_task, task_of(it).recipe) == ("fit.py", "regression", None)
    spec = it.children["Job", it.status["job"]]["spec"]["template"]["spec"]
    mounts = {m["mountPath"]: (m["name"], m["readOnly"]) for m in spec["containers"][0]["volumeMounts"]}
    assert mounts["/opt/ml"] == ("work", False)
    assert mounts["/opt/ml/code"] == ("code", True)
    assert spec["containers"][0]["image"] == "team/train:1"


def test_a_script_of_the_users_config_map_is_mounted_from_there() -> None:
    it = running(training_job().spec(recipe=None, script={"configMapRef": {"name": "mine"}}))
    volumes = it.children["Job", it.status["job"]]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "code", "configMap": {"name": "mine"}} in volumes
    assert not [name for kind, name in it.children if kind == "ConfigMap"]


def test_a_running_pod_is_asked_for_progress() -> None:
    it = running()
    pod = f"{it.status['job']}-0"
    assert it.settle().poll == (pod,)
    it.readings[pod] = {"stage": "Training", "percent": 70, "message": "round 7 of 10"}
    it.settle()
    assert (it.status["phase"], it.status["progress"]) == ("Running", "Training 70 %: round 7 of 10")


def test_success_shows_model_metrics_and_score() -> None:
    it = succeeded()
    assert it.status["phase"] == "Succeeded"
    assert it.told() == ("True", "Succeeded")
    assert it.status["metrics"] == {"accuracy": "0.861235", "logLoss": "0.0000123457"}
    assert it.status["score"] == "accuracy=0.8612"
    assert it.status["model"]["digest"] == digest("a")
    assert it.status["model"]["createdAt"] == it.status["completedAt"]
    assert "progress" not in it.status
    assert it.told("Approved") == ("True", "Approved")
    assert it.settle().poll == ()


def test_a_missed_objective_fails_with_the_figures_and_keeps_the_model() -> None:
    it = succeeded(training_job().spec(objective={"metric": "accuracy", "minimum": "0.90"}), accuracy=0.86)
    assert it.status["phase"] == "Failed"
    assert it.told() == ("False", "CriteriaNotMet")
    assert "accuracy is 0.86, spec.objective asks for at least 0.90" in it.condition("Stalled")["message"]
    assert it.told("Approved") == ("False", "CriteriaNotMet")
    assert it.status["model"]["digest"] == digest("a")


@pytest.mark.parametrize(
    ("objective", "metrics", "phase"),
    [
        ({"metric": "accuracy", "minimum": "0.86"}, {"accuracy": 0.86}, "Succeeded"),
        ({"metric": "rmse", "maximum": "10"}, {"rmse": 10.5}, "Failed"),
        ({"metric": "rmse", "maximum": "10", "minimum": "1"}, {"rmse": 9.0}, "Succeeded"),
        ({"metric": "f1", "minimum": "0.1"}, {"accuracy": 0.99}, "Failed"),
    ],
)
def test_objectives(objective: dict[str, str], metrics: dict[str, float], phase: str) -> None:
    assert succeeded(training_job().spec(objective=objective), **metrics).status["phase"] == phase


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"depth": "3"}},
        {"deadline": "1h"},
        {"objective": {"metric": "accuracy", "minimum": "0.5"}},
        {"failurePolicy": {"maxRestarts": 9}},
        {"resources": {"limits": {"memory": "8Gi"}}},
    ],
)
def test_a_changed_spec_starts_a_new_run(change: dict[str, Any]) -> None:
    it = succeeded()
    old = it.status
    it.resource = it.resource.spec(**change).metadata(generation=2)
    it.related = [ready_dataset(version="c")]
    it.settle()
    assert it.status["run"] != old["run"]
    assert (it.status["attempt"], it.status["observedGeneration"]) == (1, 2)
    assert it.status["datasetDigest"] == digest("c")
    assert "model" not in it.status
    assert "metrics" not in it.status or it.status["metrics"] == {}
    assert it.told("Approved")[0] == "Unknown"
    assert it.jobs() == [it.status["job"]] != [old["job"]]


def test_the_same_spec_written_otherwise_is_the_same_run() -> None:
    it = succeeded()
    it.resource = it.resource.spec(deadline="24h", parameters={}, failurePolicy={"maxRestarts": 3})
    assert it.settle().apply == ()
    assert it.status["phase"] == "Succeeded"


def test_a_retrained_model_waits_for_its_monitors_verdict() -> None:
    it = succeeded(retrained())
    assert it.status["phase"] == "Succeeded"
    assert it.told("Approved") == ("Unknown", "Gating")
    assert "DriftMonitor w" in it.condition("Approved")["message"]


@pytest.mark.parametrize(("promoted", "expected"), [(True, ("True", "Promoted")), (False, ("False", "Refused"))])
def test_the_monitors_history_decides_about_approval(promoted: bool, expected: tuple[str, str]) -> None:
    it = succeeded(retrained())
    verdict = {"trainingJob": "t-r-1", "promoted": promoted, "at": "2026-03-01T12:30:00Z", "message": "by 0.03"}
    other = {"trainingJob": "t-r-0", "promoted": not promoted, "at": "2026-03-01T12:40:00Z"}
    it.related = [monitor().status(history=[verdict, other])]
    it.settle()
    assert it.told("Approved") == expected
    assert it.condition("Approved")["message"] == ("by 0.03" if promoted else "by 0.03 (see docs/reasons/Refused.md)")
    it.related = []  # a monitor that is gone takes nothing back
    it.settle()
    assert it.told("Approved") == expected


def test_an_object_from_before_a_rule_is_told_and_not_fatal() -> None:
    bad = training_job().spec(objective={"metric": "luck", "minimum": "1"})
    plan = plan_training(bad, observed(), NOW, Settings())
    promises.hold(bad, plan)
    conditions = {c["type"]: c for c in plan.status["conditions"]}
    assert conditions["Stalled"]["reason"] == Reason.CONFIG_ERROR
    assert "spec.objective.metric" in conditions["Stalled"]["message"]


def test_the_end_is_told_once_and_what_conditions_show_is_not() -> None:
    it = succeeded()
    assert [e.reason for e in it.events] == [Reason.SUCCEEDED]


def test_pickles_wait_for_a_chart_that_allows_them() -> None:
    it = simulation(training_job().spec(allowUnsafeFormats=True))
    it.settle()
    assert it.told("Stalled") == ("True", "ConfigError")
    assert "workloads.allowUnsafeFormats" in it.condition("Ready")["message"]
    assert it.jobs() == []
    it.settings = Settings(allow_unsafe_formats=True)
    it.settle()
    (job,) = [child for (kind, _), child in it.children.items() if kind == "Job"]
    assert TrainTask.model_validate_json(task_in(job)).allow_unsafe is True
