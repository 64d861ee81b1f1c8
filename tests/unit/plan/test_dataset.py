"""When a Dataset is built, and what becomes of the result."""

import json
from typing import Any

import pytest

from modelyard.contract.reasons import Reason
from modelyard.contract.results import DatasetResult, FailedExpectation, FailureResult
from modelyard.contract.tasks import DatasetTask
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.settings import Settings
from tests.unit.plan import promises
from tests.unit.plan.builders import NOW, Built, dataset, digest, observed, task_in
from tests.unit.plan.simulation import Simulation


def result(version: str = "a", outcome: Any = "Promoted", **more: Any) -> DatasetResult:
    given: dict[str, Any] = {
        "digest": digest(version),
        "rows": 1200,
        "bytes": 10,
        "files": 1,
        "profile_digest": digest("e"),
        "logical_digest": digest("f"),
        "inputs_digest": digest("1"),
        "checked_at": "2026-03-01T12:00:00Z",
        "seconds": 3.0,
    }
    return DatasetResult(outcome=outcome, **{**given, **more})


def rejected(version: str = "b") -> DatasetResult:
    failed = FailedExpectation(name="price", failed=3, total=100, message="price: 3 of 100 are not between 0 and 1")
    return result(version, "Quarantined", failed_expectations=[failed])


NO_STORE = FailureResult(blame="world", reason="StoreUnavailable", message="the store does not answer")
BAD_SQL = FailureResult(blame="user", reason="InvalidSql", message="spec.transform.sql: no column named x")


def world(resource: Built | None = None, *related: Built) -> Simulation:
    return Simulation(plan_dataset, dataset() if resource is None else resource, *related)


def built(resource: Built | None = None, *related: Built) -> Simulation:
    """A world whose first version is current."""
    it = world(resource, *related)
    it.settle()
    it.finish(result())
    it.settle()
    return it


def test_a_new_dataset_is_built() -> None:
    it = world()
    plan = it.step()
    assert [c["kind"] for c in plan.apply] == ["Job"]
    assert it.told() == ("False", "Building")
    assert it.status["phase"] == "Building"
    assert it.condition("Reconciling")["status"] == "True"


def test_the_pod_gets_the_whole_recipe() -> None:
    spec = {
        "sources": [
            {"name": "a", "uri": "s3://lake/a/*.parquet", "credentialsSecretRef": {"name": "lake"}},
            {"name": "b", "uri": "https://host/b.csv", "sha256": "0" * 64},
        ],
        "transform": {"sql": "select * from a join b using (id)"},
        "columns": {"key": ["id"], "time": "ts", "label": "y", "pii": ["email"]},
        "schema": {"mode": "exact", "fields": [{"name": "id", "type": "int64", "nullable": False}]},
        "expectations": [
            {"column": "y", "between": [0, 1], "maxFailRatio": "0.1"},
            {"columns": ["id", "ts"], "unique": True, "severity": "warn"},
            {"name": "size", "rowCount": {"min": 5, "maxChangeRatio": 0.5}},
            {"sql": "select count(*) from this where ts > now()", "equals": 0},
        ],
        "splits": {"strategy": "time", "ratios": {"train": 8, "validation": 1, "test": 1}},
    }
    (job,) = world(dataset("d").spec(**spec)).step().apply
    task = DatasetTask.model_validate_json(task_in(job))
    assert (task.namespace, task.name, task.sql) == ("ns", "d", spec["transform"]["sql"])  # type: ignore[index]
    assert [(s.name, s.has_credentials) for s in task.sources] == [("a", True), ("b", False)]
    assert task.roles.model_dump() == {"key": ["id"], "time": "ts", "label": "y", "pii": ["email"]}
    assert [f.name for f in task.data_schema.fields] == ["id"]
    assert [e.name for e in task.expectations] == ["1:between(y)", "2:unique(id,ts)", "size", "4:sql()"]
    assert task.expectations[0].max_fail_ratio == 0.1
    assert task.expectations[2].row_count is not None
    assert task.expectations[2].row_count.max_change_ratio == 0.5
    assert task.expectations[3].equals == 0
    assert (task.splits.strategy, task.splits.time) == ("time", "ts")
    mounts = {m["name"]: m["mountPath"] for m in job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["source-0"] == "/var/run/modelyard/sources/a"


def test_a_promoted_version_becomes_current() -> None:
    it = built()
    assert it.status["current"]["version"] == "v-aaaaaaaaaaaa"
    assert it.status["current"]["rows"] == 1200
    assert it.status["checkedAt"] == "2026-03-01T12:00:00Z"
    assert it.status["phase"] == "Ready"
    assert it.told() == ("True", "Ready")
    assert it.told("Validated")[0] == it.told("Built")[0] == "True"
    assert it.condition("Stalled")["status"] == it.condition("Reconciling")["status"] == "False"


def test_a_finished_build_leaves_only_its_own_job_for_its_log() -> None:
    it = built()
    first = it.jobs()
    it.resource = it.resource.annotated(run="again")
    it.settle()
    it.finish(result("a", "Unchanged"))
    it.settle()
    assert len(it.jobs()) == 1
    assert it.jobs() != first


def test_an_unchanged_version_stays_the_same_version() -> None:
    it = built()
    made = it.status["current"]["createdAt"]
    it.resource = it.resource.annotated(run="again")
    it.pass_time(90)
    it.settle()
    it.finish(result("a", "Unchanged", checked_at="2026-03-01T12:01:30Z"))
    it.settle()
    assert it.status["current"]["createdAt"] == made
    assert it.status["checkedAt"] == "2026-03-01T12:01:30Z"
    assert it.told() == ("True", "UpToDate")


def test_a_failed_expectation_keeps_the_last_good_version() -> None:
    it = built()
    it.resource = it.resource.annotated(run="again")
    it.settle()
    it.finish(rejected())
    it.settle()
    assert it.status["current"]["digest"] == digest("a")
    assert it.status["candidate"]["digest"] == digest("b")
    assert it.status["phase"] == "Degraded"
    assert it.told() == ("True", "ExpectationFailed")
    assert it.told("Validated") == ("False", "ExpectationFailed")
    assert it.condition("Stalled")["status"] == "True"
    assert "3 of 100" in it.condition("Ready")["message"]
    assert "v-aaaaaaaaaaaa stays current" in it.condition("Ready")["message"]
    assert it.events[-1].type == "Warning"


def test_without_a_good_version_a_failed_expectation_is_a_failure() -> None:
    it = world()
    it.settle()
    it.finish(rejected())
    it.settle()
    assert it.status["phase"] == "Failed"
    assert it.told() == ("False", "ExpectationFailed")


def test_a_missing_column_is_a_schema_mismatch() -> None:
    it = world()
    it.settle()
    it.finish(result("b", "Quarantined", schema_findings=["column price is missing"]))
    it.settle()
    assert it.told("Validated") == ("False", "SchemaMismatch")
    assert "column price is missing" in it.condition("Ready")["message"]


def test_warnings_are_told_and_do_not_reject() -> None:
    it = world()
    it.settle()
    warn = FailedExpectation(name="old", failed=1, total=9, severity="warn")
    it.finish(result(failed_expectations=[warn]))
    it.settle()
    assert it.told() == ("True", "Ready")
    assert it.condition("Validated")["message"] == "old: 1 of 9 failed"


def test_a_better_build_clears_the_rejected_candidate() -> None:
    it = built()
    for run, outcome in (("1", rejected()), ("2", result("c"))):
        it.resource = it.resource.annotated(run=run)
        it.settle()
        it.finish(outcome)
        it.settle()
    assert "candidate" not in it.status
    assert (it.status["phase"], it.told()) == ("Ready", ("True", "Ready"))


def test_bad_sql_is_not_tried_again_until_the_spec_changes() -> None:
    it = world()
    it.settle()
    it.finish(BAD_SQL, exit_code=1)
    it.settle()
    assert (it.told(), it.status["phase"]) == (("False", "InvalidSql"), "Failed")
    assert it.condition("Stalled")["status"] == "True"
    it.pass_time(86400)
    assert it.settle().apply == ()
    it.resource = it.resource.spec(transform={"sql": "select 2 as x"}).metadata(generation=2)
    it.settle()
    assert it.told()[1] == "Building"
    assert it.status["observedGeneration"] == 2


def test_a_failure_of_the_world_is_tried_again_after_a_pause() -> None:
    it = world()
    it.settle()
    it.finish(NO_STORE, exit_code=1)
    it.settle()
    first = it.jobs()
    assert it.told() == ("False", "BackingOff")
    assert "StoreUnavailable" in it.condition("Ready")["message"]
    assert it.plan().requeue_after == pytest.approx(10, abs=1)
    it.pass_time(11)
    it.settle()
    assert len(it.jobs()) == 1
    assert it.jobs() != first
    it.finish(result())
    it.settle()
    assert it.told() == ("True", "Ready")


def test_after_six_attempts_a_person_is_asked() -> None:
    it = world()
    pauses = []
    for _ in range(6):
        it.settle()
        it.finish(NO_STORE, exit_code=1)
        pauses.append(it.settle().requeue_after)
        it.pass_time(301)
    assert pauses[-1] is None
    assert [round(p) for p in pauses[:-1] if p] == [10, 20, 40, 80, 160]
    assert it.told() == ("False", "StoreUnavailable")
    assert "after 6 attempts" in it.condition("Stalled")["message"]
    assert it.settle().apply == ()


def test_a_missing_image_stalls_and_recovers_by_itself() -> None:
    it = world()
    it.settle()
    it.pod(lambda p: p.waiting("ImagePullBackOff", "not found"))
    it.settle()
    assert it.told("Stalled") == ("True", "ImagePull")
    it.finish(result())
    it.settle()
    assert it.told("Stalled")[0] == "False"
    assert it.told() == ("True", "Ready")


def test_progress_comes_from_the_running_pod() -> None:
    it = world()
    it.settle()
    name = it.pod()["metadata"]["name"]
    assert it.settle().poll == (name,)
    it.readings[name] = {"stage": "Checking", "percent": 40, "message": "3 of 5"}
    it.settle()
    assert it.status["progress"] == "Checking 40 %: 3 of 5"
    it.finish(result())
    assert it.settle().poll == ()
    assert "progress" not in it.status


def test_a_changed_spec_stops_the_build_before_the_next_one_starts() -> None:
    it = world()
    it.settle()
    it.pod()
    old = it.jobs()
    it.resource = it.resource.spec(transform={"sql": "select 2 as x"})
    plan = it.step()
    assert plan.apply == ()
    assert [c["metadata"]["name"] for c in plan.delete if c["kind"] == "Job"] == old
    assert it.settle().apply == ()  # by now the new Job is there
    assert len(it.jobs()) == 1
    assert it.jobs() != old


def test_a_pod_that_is_still_stopping_holds_the_next_build_back() -> None:
    it = world()
    it.settle()
    pod = it.pod()
    it.resource = it.resource.spec(transform={"sql": "select 2 as x"})
    it.step()
    it.children["Pod", pod["metadata"]["name"]] = pod
    assert it.step().apply == ()
    assert "is stopped first" in it.condition("Ready")["message"]
    del it.children["Pod", pod["metadata"]["name"]]
    assert [c["kind"] for c in it.step().apply] == ["Job"]


def test_an_operator_with_other_settings_leaves_a_running_build_alone() -> None:
    it = world()
    it.settle()
    it.settings = Settings(image_pull_policy="Always", store_secret=None)
    assert it.settle().apply == ()


def test_an_object_from_before_a_rule_is_told_and_not_fatal() -> None:
    bad = dataset().spec(sources=[{"name": "a", "uri": "ftp://x"}])
    plan = plan_dataset(bad, observed(), NOW, Settings())
    promises.hold(bad, plan)
    conditions = {c["type"]: c for c in plan.status["conditions"]}
    assert conditions["Stalled"]["reason"] == Reason.CONFIG_ERROR
    assert "spec.sources.0.uri" in conditions["Stalled"]["message"]
    assert plan_dataset(bad.holding(plan.status), observed(), NOW, Settings()).status == plan.status


def test_a_recipe_without_personal_columns_is_the_one_it_was_before_there_were_any() -> None:
    (job,) = world(dataset("d").spec(columns={"key": ["id"], "pii": []})).step().apply
    assert json.loads(task_in(job))["roles"] == {"key": ["id"]}
