"""A monitor's life: checks, findings, a retraining, its gate, and what is kept of it."""

from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.contract.results import CheckResult, FailureResult, GateResult
from modelyard.contract.tasks import CheckTask, GateTask
from modelyard.plan.drift import plan_drift
from tests.unit.plan.builders import Built, deployment, digest, job, monitor, pod, training_job
from tests.unit.plan.world import World

PERFORMANCE = {
    "metric": "accuracy",
    "baseline": 0.9,
    "value": 0.7,
    "lower": 0.66,
    "upper": 0.74,
    "rows": 500,
    "coverage": 0.5,
    "degraded": True,
}


def served(letter: str = "a", job_name: str = "t") -> Built:
    stable = {
        "revision": letter * 8,
        "modelDigest": digest(letter),
        "trainingJob": job_name,
        "since": "2026-03-01T00:00:00Z",
    }
    return deployment().status(stable=stable)


def world(**retrain: Any) -> World:
    policy = {"action": "Retrain", "cooldown": "1h", "gate": {"timeout": "2h"}, **retrain}
    spec = {"checks": {"performance": {"metric": "accuracy"}}, "retrain": policy}
    root = training_job().status(phase="Succeeded").metadata(uid="root")
    w = World(plan_drift, monitor().spec(**spec), served(), root)
    w.run()
    w.events.clear()
    return w


def check(verdict: str, **more: Any) -> CheckResult:
    words = {"modelDigest": digest("a"), "rows": 1000, "report": "reports/r.json", "message": f"it is {verdict}"}
    return CheckResult.model_validate({"verdict": verdict, "windowEnd": "2026-03-01T11:00:00Z", **words, **more})


def decay(**more: Any) -> CheckResult:
    return check("Degraded", performance=PERFORMANCE, **more)


def gate(verdict: str) -> GateResult:
    figures = {"metric": "accuracy", "champion": 0.7, "challenger": 0.85, "difference": 0.15, "lower": 0.1}
    return GateResult.model_validate({"verdict": verdict, **figures, "rows": 500, "message": "0.85 against 0.7"})


def ends(w: World, name: str, result: CheckResult | GateResult | FailureResult, role: str = "check") -> None:
    """The Job of that name, made by the CronJob where it is not there, ends now."""
    ended_at = w.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    made = w.children.get(("Job", name)) or job(name).of(w.resource, role)
    made = made.metadata(creationTimestamp=ended_at)
    w.children["Job", name] = made
    failed = isinstance(result, FailureResult)
    ended = pod(f"{name}-0").of(w.resource, role).in_job(made).ended(1 if failed else 0, result.canonical())
    state = ended["status"]["containerStatuses"][0]["state"]["terminated"] | {"finishedAt": ended_at}
    phase = "Failed" if failed else "Succeeded"
    w.children["Pod", f"{name}-0"] = ended.container(phase, state={"terminated": state}).metadata(of=("Job", name))


def checked(w: World, result: CheckResult, name: str = "") -> None:
    w.pass_(60)
    ends(w, name or f"w-check-{int(w.now.timestamp())}", result)
    w.run()


def trains(w: World, phase: str = "Succeeded", letter: str = "c") -> str:
    name = str(w.status["retrain"]["trainingJob"])
    made = w.related["TrainingJob", name]
    artifact = {"digest": digest(letter), "createdAt": "2026-03-01T12:10:00Z"}
    done = made.status(phase=phase, model=artifact, datasetCheckedAt="2026-03-01T12:05:00Z")
    w.set(done if phase == "Succeeded" else made.status(phase=phase).condition("Ready", "False", "UserError", "exit 3"))
    w.pass_(60)
    w.run()
    return name


def gating(**retrain: Any) -> World:
    w = world(**retrain)
    checked(w, decay())
    trains(w)
    return w


def gate_jobs(w: World) -> list[str]:
    return [n for n in w.names("Job") if "-gate-" in n]


def test_without_a_serving_model_it_waits_and_nothing_is_scheduled() -> None:
    w = World(plan_drift, monitor(), deployment())
    w.run()
    assert w.condition("Ready") == ("False", "WaitingForDeployment")
    assert w.message() == "ModelDeployment m serves no model yet"
    assert w.children == {}


def test_an_endpoint_that_does_not_exist_is_named() -> None:
    w = World(plan_drift, monitor())
    w.run()
    assert w.message() == "ModelDeployment m does not exist: create it"


def test_the_schedule_ends_with_the_endpoint() -> None:
    w = world()
    w.related.pop(("ModelDeployment", "m"))
    w.run()
    assert w.names("CronJob") == []


def test_checks_run_on_schedule_one_at_a_time() -> None:
    w = world()
    spec = w.child("CronJob", "w-check")["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 * * * *", "Etc/UTC")
    assert (spec["concurrencyPolicy"], spec["successfulJobsHistoryLimit"]) == ("Forbid", 2)
    assert spec["startingDeadlineSeconds"] == 600
    assert spec["jobTemplate"]["metadata"]["labels"]["modelyard.dev/role"] == "check"
    assert (w.status["phase"], w.condition("Ready")) == ("Learning", ("True", "Learning"))
    assert w.condition("DriftDetected")[0] == "Unknown"


def task_of(w: World) -> CheckTask:
    return CheckTask.model_validate_json(w.child("ConfigMap", "w-check")["data"]["task.json"])


def test_a_promotion_changes_what_the_next_check_compares_with() -> None:
    w = world()
    assert (task_of(w).model_digest, task_of(w).training_job) == (digest("a"), "t")
    w.set(served("c", "t-r-00000001"))
    w.run()
    assert (task_of(w).model_digest, task_of(w).training_job) == (digest("c"), "t-r-00000001")
    assert w.child("ConfigMap", "w-check")["immutable"] is False


def test_the_annotation_runs_one_check_for_each_new_value() -> None:
    w = world()
    w.resource = w.resource.annotated(run="1")
    w.run()
    assert len(w.names("Job")) == 1
    assert w.status["run"] == "1"
    w.run()
    assert len(w.names("Job")) == 1
    w.resource = w.resource.annotated(run="2")
    w.run()
    assert len(w.names("Job")) == 2


def test_a_run_whose_status_write_was_lost_is_not_started_twice() -> None:
    w = world()
    w.resource = w.resource.annotated(run="1")
    w.step(lose_status=True)
    w.run()
    assert len(w.names("Job")) == 1


def test_no_rows_are_never_no_drift() -> None:
    w = world()
    checked(w, check("NoRows", rows=0))
    assert (w.status["phase"], w.condition("Ready")) == ("InsufficientData", ("True", "NoRows"))
    assert w.condition("DriftDetected") == ("Unknown", "NoRows")
    assert w.condition("PerformanceDegraded") == ("Unknown", "NoRows")
    assert w.condition("DataQuality") == ("Unknown", "NoRows")


def test_a_stable_check_says_so_once() -> None:
    w = world()
    checked(w, check("Stable", columns=7))
    checked(w, check("Stable", columns=7))
    assert w.status["phase"] == "Stable"
    assert w.condition("DriftDetected") == ("False", "Stable")
    assert w.condition("PerformanceDegraded") == ("Unknown", "InsufficientData")
    assert [e.reason for e in w.events] == [Reason.STABLE]


def test_drift_alone_is_reported_and_retrains_nothing() -> None:
    worst = [{"column": "price", "method": "wasserstein", "effect": 0.21, "threshold": 0.13}]
    w = world()
    checked(w, check("Drifted", driftedColumns=1, columns=7, worst=worst))
    assert (w.status["phase"], w.condition("DriftDetected")) == ("Drifted", ("True", "Drifted"))
    assert w.message("DriftDetected") == "1 of 7 columns moved: price (0.21)"
    assert [(e.type, e.reason) for e in w.events] == [("Warning", Reason.DRIFTED)]
    assert "retrain" not in w.status


def test_drift_retrains_where_the_user_says_so() -> None:
    w = world(when=["DataDrift"])
    checked(w, check("Drifted", driftedColumns=1))
    assert w.status["retrain"]["trigger"] == "DataDrift"


def test_broken_data_blocks_retraining() -> None:
    w = world()
    checked(w, check("QualityViolation", qualityFindings=["price is null in 40 % of rows"]))
    assert (w.status["phase"], w.condition("DataQuality")) == ("Blocked", ("False", "QualityViolation"))
    assert w.condition("RetrainAllowed") == ("False", "QualityViolation")
    assert "retrain" not in w.status


def test_decay_starts_a_retraining_on_fresh_data() -> None:
    w = world()
    checked(w, decay())
    name = w.status["retrain"]["trainingJob"]
    made = w.related["TrainingJob", name]
    assert made["spec"]["datasetRef"] == {"name": "d", "checkedAfter": "2026-03-01T12:01:00Z"}
    assert made["spec"]["trigger"]["rootRef"] == {"name": "t"}
    assert made["metadata"]["ownerReferences"][0]["uid"] == "root"
    assert (w.status["phase"], w.condition("Ready")) == ("Retraining", ("True", "Retraining"))
    assert w.condition("Reconciling")[0] == "True"
    assert w.condition("RetrainAllowed") == ("False", "Retraining")
    assert w.condition("PerformanceDegraded") == ("True", "Degraded")
    assert "accuracy 0.7 [0.66, 0.74] against 0.9" in w.message("PerformanceDegraded")


def test_nothing_is_created_before_the_decision_is_written() -> None:
    w = world()
    w.pass_(60)
    ends(w, "w-check-1", decay())
    decided = w.step(lose_status=True)
    assert [c["kind"] for c in decided.apply] == ["ConfigMap", "CronJob"]
    w.pass_(60)
    w.run()
    made = w.related["TrainingJob", w.status["retrain"]["trainingJob"]]
    assert made["spec"]["datasetRef"]["checkedAfter"] == w.status["retrain"]["requestedAt"]


def test_a_decision_that_was_written_is_carried_out_once() -> None:
    w = world()
    checked(w, decay())
    before = dict(w.related)
    w.step(lose_status=True)
    w.run()
    assert w.related == before


def test_a_finding_seen_again_starts_nothing_more() -> None:
    w = world(consecutive=2)
    checked(w, decay(), "w-check-1")
    w.pass_(600)
    w.run()
    assert (w.status["findingsInARow"], "retrain" in w.status) == (1, False)
    checked(w, decay(), "w-check-2")
    assert "retrain" in w.status


def test_a_finding_about_the_model_before_does_not_count() -> None:
    w = world()
    w.set(served("c", "t-r-00000001"))
    checked(w, decay())
    assert w.status["lastCheck"]["verdict"] == "Degraded"
    assert (w.status["findingsInARow"], "retrain" in w.status) == (0, False)
    assert w.status["phase"] == "Learning"  # of the model that serves nothing is known


def test_alert_says_it_and_does_nothing() -> None:
    w = world(action="Alert", consecutive=2)
    checked(w, decay())
    checked(w, decay())
    checked(w, decay())
    assert [e.message for e in w.events if "Alert" in e.message] == [
        "2 findings in a row: it is Degraded; spec.retrain.action is Alert, a person decides"
    ]
    assert "retrain" not in w.status
    assert w.condition("RetrainAllowed")[0] == "False"


def test_a_proposal_waits_for_its_approval() -> None:
    w = world(action="Propose")
    checked(w, decay())
    assert (w.status["phase"], w.condition("Ready")) == ("Proposed", ("True", "AwaitingApproval"))
    id_ = w.status["retrain"]["id"]
    assert f"modelyard.dev/approve={id_}" in w.message()
    assert len(w.related) == 2
    w.resource = w.resource.annotated(approve="something-else")
    w.run()
    assert w.status["phase"] == "Proposed"
    w.resource = w.resource.annotated(approve=id_)
    w.run()
    assert w.status["phase"] == "Retraining"
    assert ("TrainingJob", f"t-r-{id_}") in w.related


def test_a_trained_challenger_is_judged_on_newer_rows() -> None:
    w = gating()
    (name,) = gate_jobs(w)
    assert (w.status["phase"], w.condition("Ready")) == ("Gating", ("True", "Gating"))
    task = GateTask.model_validate_json(w.child("ConfigMap", name)["data"]["task.json"])
    assert task.newer_than == "2026-03-01T12:05:00Z"
    assert (task.champion.model_digest, task.challenger.model_digest) == (digest("a"), digest("c"))


def test_a_better_model_is_promoted_into_the_history() -> None:
    w = gating()
    w.events.clear()
    ends(w, gate_jobs(w)[0], gate("Promote"), "gate")
    w.run()
    assert w.status["retrain"]["state"] == "Promoted"
    entry = w.status["history"][0]
    assert (entry["trainingJob"], entry["promoted"]) == (w.status["retrain"]["trainingJob"], True)
    assert w.status["retrain"]["gate"]["challenger"] == "0.85"
    assert [e.reason for e in w.events] == [Reason.PROMOTED]
    assert "0.85 against 0.7" in w.events[0].message


def test_a_refused_model_cools_down_for_twice_as_long() -> None:
    w = gating()
    ends(w, gate_jobs(w)[0], gate("Refuse"), "gate")
    plan = w.run()
    assert w.status["retrain"]["state"] == "Refused"
    assert not w.status["history"][0]["promoted"]
    assert w.condition("RetrainAllowed") == ("False", "Cooldown")
    assert plan.requeue_after == 7200
    checked(w, decay(windowEnd="2026-03-01T12:30:00Z"))
    assert w.status["retrain"]["state"] == "Refused"
    w.pass_(7200)
    w.run()
    assert w.status["retrain"]["state"] == "Training"


def test_too_few_rows_for_the_gate_are_waited_for() -> None:
    w = gating()
    ends(w, gate_jobs(w)[0], gate("InsufficientData"), "gate")
    plan = w.run()
    assert plan.requeue_after == 60
    assert len(gate_jobs(w)) == 1
    w.pass_(60)
    w.run()
    assert len(gate_jobs(w)) == 2
    assert w.status["retrain"]["gateAttempt"] == 2


def test_the_gate_judges_against_what_serves_by_then() -> None:
    w = gating()
    ends(w, gate_jobs(w)[0], gate("InsufficientData"), "gate")
    w.run()
    w.set(served("f", "t"))
    w.pass_(60)
    w.run()
    task = GateTask.model_validate_json(w.child("ConfigMap", gate_jobs(w)[-1])["data"]["task.json"])
    assert task.champion.model_digest == digest("f")


def test_only_the_newest_gate_jobs_are_kept() -> None:
    w = gating()
    for _ in range(6):
        ends(w, gate_jobs(w)[-1], gate("InsufficientData"), "gate")
        w.run()
        w.pass_(300)
        w.run()
    assert [n.rsplit("-", 1)[-1] for n in gate_jobs(w)] == ["5", "6", "7"]
    assert [n for n in w.names("ConfigMap") if "gate" in n] == gate_jobs(w)


def test_only_the_newest_checks_on_demand_are_kept() -> None:
    w = world()
    for i in range(5):
        w.resource = w.resource.annotated(run=str(i))
        w.run()
        (new,) = [n for n in w.names("Job") if ("Pod", f"{n}-0") not in w.children]
        w.pass_(60)
        ends(w, new, check("Stable"))
        w.run()
    assert len(w.names("Job")) == 2


def test_a_result_that_is_not_yet_written_down_is_not_deleted() -> None:
    w = world()
    for i in range(4):
        w.resource = w.resource.annotated(run=str(i))
        w.run()
    for name in w.names("Job"):
        w.pass_(60)
        ends(w, name, check("Stable"))
    w.step(lose_status=True)
    assert len(w.names("Job")) == 4
    w.run()
    assert len(w.names("Job")) == 2


def test_a_check_of_the_cron_job_is_not_ours_to_delete() -> None:
    w = world()
    for _ in range(5):
        checked(w, check("Stable"))
    assert len(w.names("Job")) == 5


def test_a_failed_training_ends_the_retraining() -> None:
    w = world()
    checked(w, decay())
    name = trains(w, "Failed")
    assert w.status["retrain"]["state"] == "Failed"
    assert f"{name} failed: UserError: exit 3" in w.status["history"][0]["message"]
    w.related.pop(("TrainingJob", name))
    w.run()
    assert ("TrainingJob", name) not in w.related


def test_a_challenger_that_is_deleted_before_its_judgement_is_not_made_again() -> None:
    w = gating()
    name = w.status["retrain"]["trainingJob"]
    w.related.pop(("TrainingJob", name))
    w.run()
    assert w.status["retrain"]["state"] == "Failed"
    assert ("TrainingJob", name) not in w.related


def test_a_check_that_cannot_work_needs_a_person() -> None:
    w = world()
    failure = FailureResult(blame="user", reason="MissingColumn", message="column price is not captured")
    w.pass_(60)
    ends(w, "w-check-1", failure)
    w.run()
    assert w.condition("Stalled") == ("True", "MissingColumn")
    assert "column price is not captured" in w.message()
    checked(w, check("Stable"))
    assert w.condition("Ready") == ("True", "Stable")


def test_a_check_the_world_got_in_the_way_of_is_tried_again() -> None:
    w = world()
    failure = FailureResult(blame="world", reason="StoreUnavailable", message="the store does not answer")
    w.pass_(60)
    ends(w, "w-check-1", failure)
    w.run()
    assert w.condition("Ready") == ("False", "StoreUnavailable")
    assert w.condition("Stalled")[0] == "False"


def test_an_invalid_spec_from_before_a_rule_is_said() -> None:
    w = world()
    w.resource = w.resource.spec(window={"rows": 1})
    w.run()
    assert w.condition("Stalled") == ("True", "ConfigError")
    assert "spec.window.rows" in w.message()
