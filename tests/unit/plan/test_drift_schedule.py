"""When a monitor checks: on schedule, on demand, and not without a model to compare with."""

from modelyard.api.conditions import timestamp
from modelyard.contract.tasks import CheckTask
from modelyard.plan.drift import plan_drift
from tests.unit.plan.builders import deployment, digest, monitor
from tests.unit.plan.monitored import ENDPOINT, check, checked, decay, ends, served, world
from tests.unit.plan.world import World


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
    assert w.look().relies_on == (ENDPOINT,)
    w.run()
    assert w.names("CronJob") == []
    assert w.look().relies_on == ()


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
    assert w.look().relies_on == (ENDPOINT,)
    w.run()
    assert w.look().relies_on == ()
    assert len(w.names("Job")) == 1
    assert w.status["run"] == "1"
    w.run()
    assert len(w.names("Job")) == 1
    w.resource = w.resource.annotated(run="2")
    w.run()
    assert len(w.names("Job")) == 2


def test_a_value_that_comes_back_runs_a_check_again() -> None:
    w, ended = world(), set[str]()
    for value in "1212":
        w.resource = w.resource.annotated(run=value)
        w.run()
        (begun,) = set(w.names("Job")) - ended
        w.pass_(60)
        ends(w, begun, check("Stable"))
        w.run()
        ended |= {begun}
    assert w.status["lastCheck"]["job"] == begun


def test_a_run_whose_status_write_was_lost_is_not_started_twice() -> None:
    w = world()
    w.resource = w.resource.annotated(run="1")
    w.step(lose_status=True)
    w.run()
    assert len(w.names("Job")) == 1


def test_a_check_on_a_node_whose_clock_is_ahead_hides_none_after_it() -> None:
    w = world()
    w.pass_(86400)
    ends(w, "w-check-1", check("Stable"))
    w.pass_(-86400)
    w.run()
    assert "lastCheck" not in w.status  # its Job ends in a moment
    over = timestamp(w.now)
    w.children["Job", "w-check-1"] = w.child("Job", "w-check-1").condition("Complete", lastTransitionTime=over)
    w.run()
    assert (w.status["lastCheck"]["job"], w.status["lastCheck"]["at"]) == ("w-check-1", over)
    checked(w, decay(), "w-check-2")
    assert w.status["lastCheck"]["job"] == "w-check-2"
    w.pass_(2 * 86400)
    w.run()
    assert w.status["lastCheck"]["job"] == "w-check-2"


def test_an_invalid_spec_from_before_a_rule_is_said() -> None:
    w = world()
    w.resource = w.resource.spec(window={"rows": 1})
    w.run()
    assert w.condition("Stalled") == ("True", "ConfigError")
    assert "spec.window.rows" in w.message()
