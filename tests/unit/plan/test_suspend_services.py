"""spec.suspend of endpoints and monitors: no server and no check runs, and what was decided before still holds."""

from collections.abc import Callable

import pytest

from modelyard.plan.drift import plan_drift
from modelyard.plan.serving import plan_serving
from tests.unit.plan.builders import deployment, monitor
from tests.unit.plan.endpoints import broken, dead, model, rolling, selected, serving
from tests.unit.plan.monitored import check, checked, decay, gate, gate_jobs, gating, trains
from tests.unit.plan.monitored import ends as job_ends
from tests.unit.plan.monitored import world as monitored
from tests.unit.plan.suspending import assert_suspended, conditions, resume, suspend
from tests.unit.plan.world import World

CREATED = [
    World(plan_serving, deployment().spec(suspend=True), model("t", "a", 1)),
    World(plan_drift, monitor().spec(suspend=True)),
]


@pytest.mark.parametrize("w", CREATED, ids=["ModelDeployment", "DriftMonitor"])
def test_what_is_created_suspended_serves_and_watches_nothing(w: World) -> None:
    plan = w.run()
    assert (plan.apply, plan.delete) == ((), ())
    assert_suspended(w.status)
    assert "stable" not in w.status


def replicas(w: World) -> dict[str, int]:
    return {n: w.child("Deployment", n)["spec"]["replicas"] for n in w.names("Deployment")}


def servers_end(w: World) -> None:
    """As the Deployment controller does it."""
    for (kind, name), child in list(w.children.items()):
        if kind == "Deployment" and child["spec"]["replicas"] == 0:
            w.children[kind, name] = child.status(replicas=0, updatedReplicas=0, readyReplicas=0)
            for key in [k for k in w.children if k[0] == "Pod" and k[1].startswith(f"{name}-")]:
                del w.children[key]


def test_a_suspended_endpoint_keeps_its_address_and_model_and_comes_back_without_a_rollout() -> None:
    w = serving()
    stable, url = w.status["stable"], w.status["url"]
    suspend(w)
    w.run()
    servers_end(w)
    w.run()
    assert replicas(w) == {"m-aaaaaaaa": 0}
    assert "m" in w.names("Service")
    assert (w.status["stable"], w.status["url"], w.status["readyReplicas"]) == (stable, url, 0)
    assert_suspended(w.status)
    resume(w)
    w.run()
    assert replicas(w) == {"m-aaaaaaaa": 2}
    assert (w.status["phase"], w.condition("Ready")) == ("Resuming", ("False", "Starting"))
    w.servers_get_ready()
    w.run()
    assert (w.status["phase"], w.status["stable"]) == ("Ready", stable)
    assert "candidate" not in w.status


def test_a_rollout_is_withdrawn_by_suspending_and_begins_anew_afterwards() -> None:
    w = rolling()
    suspend(w)
    w.run()
    servers_end(w)
    w.pass_(600)
    w.run()
    assert "candidate" not in w.status
    assert "rollout" not in w.status
    assert w.status["rolledBack"] == []
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    resume(w)
    w.run()
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    w.servers_get_ready()
    w.run()
    assert (w.status["candidate"]["revision"], w.status["rollout"]["step"]) == ("bbbbbbbb", -1)


def suspended_with_a_newer_model() -> World:
    w = serving()
    suspend(w)
    w.run()
    servers_end(w)
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    return w


def test_a_model_approved_while_suspended_is_rolled_out_only_once_the_stable_one_is_back() -> None:
    w = suspended_with_a_newer_model()
    assert_suspended(w.status)
    resume(w)
    for _ in range(3):
        w.run()
        w.servers_get_ready(ready=1)
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    assert selected(w) == "aaaaaaaa"
    w.servers_get_ready()
    w.run()
    assert w.status["candidate"]["revision"] == "bbbbbbbb"
    assert w.status["stable"]["revision"] == "aaaaaaaa"


def test_a_stable_model_that_cannot_come_back_gives_way_to_the_approved_one() -> None:
    w = suspended_with_a_newer_model()
    resume(w)
    w.run()
    w.servers_get_ready(ready=0)
    fallen = {"restartCount": 5, "state": {"terminated": {"exitCode": 3, "message": "no"}}}
    for i in range(2):
        w.children["Pod", f"m-aaaaaaaa-{i}"] = w.child("Pod", f"m-aaaaaaaa-{i}").container("Running", **fallen)
    w.run()
    assert w.status["candidate"]["revision"] == "bbbbbbbb"


def scheduled(w: World) -> bool:
    (name,) = w.names("CronJob")
    return not w.child("CronJob", name)["spec"]["suspend"]


def test_a_suspended_monitor_checks_nothing_and_obeys_the_annotation_afterwards() -> None:
    w = monitored()
    suspend(w)
    w.resource = w.resource.annotated(run="now")
    w.run()
    assert not scheduled(w)
    assert w.names("Job") == []
    assert_suspended(w.status)
    assert w.condition("RetrainAllowed") == ("False", "Suspended")
    resume(w)
    w.run()
    assert scheduled(w)
    assert len(w.names("Job")) == 1
    assert "Suspended" not in conditions(w.status)


def test_a_finding_starts_no_retraining_while_suspended_but_is_remembered() -> None:
    w = monitored()
    suspend(w)
    checked(w, decay())  # a check that was already running
    assert "retrain" not in w.status
    assert w.status["lastCheck"]["verdict"] == "Degraded"
    assert_suspended(w.status)
    resume(w)
    w.run()
    assert w.status["retrain"]["state"] == "Training"


def test_a_proposal_waits_with_its_monitor() -> None:
    w = monitored(action="Propose")
    checked(w, decay())
    suspend(w)
    w.resource = w.resource.annotated(approve=w.status["retrain"]["id"])
    w.run()
    assert w.status["retrain"]["state"] == "Proposed"
    assert_suspended(w.status)
    resume(w)
    w.run()
    assert w.status["retrain"]["state"] == "Training"


def test_a_retraining_under_way_goes_on_to_its_verdict() -> None:
    w = monitored()
    checked(w, decay())
    suspend(w)
    w.run()
    assert w.status["phase"] == "Suspended"
    assert conditions(w.status)["Suspended"][0] == "True"
    assert conditions(w.status)["Reconciling"] == ("True", "Retraining")
    trains(w)
    job_ends(w, gate_jobs(w)[0], gate("Promote"), "gate")
    w.run()
    assert w.status["retrain"]["state"] == "Promoted"
    assert_suspended(w.status)


def test_a_suspended_root_is_no_reason_to_suspend_its_retraining() -> None:
    w = monitored()
    suspended = w.related["TrainingJob", "t"].spec(suspend=True)
    w.set(suspended)
    checked(w, decay())
    made = w.related["TrainingJob", w.status["retrain"]["trainingJob"]]
    assert "suspend" not in made["spec"]


@pytest.mark.parametrize("make", [monitored, gating], ids=["watching", "gating"])
def test_suspending_a_monitor_and_resuming_it_changes_nothing(make: Callable[[], World]) -> None:
    w = make()
    checked(w, check("Stable"))
    before, children = w.status, dict(w.children)
    suspend(w)
    w.run()
    resume(w)
    w.run()
    assert {**w.status, "conditions": []} == {**before, "conditions": []}
    assert conditions(w.status) == conditions(before)
    assert w.children == children


def test_a_passing_trouble_after_a_suspension_lets_no_unmeasured_candidate_take_over() -> None:
    w = suspended_with_a_newer_model()
    resume(w)
    w.run()
    broken(w, "m-aaaaaaaa", state={"waiting": {"reason": "ErrImagePull", "message": "not found"}})
    w.run()
    assert "candidate" not in w.status
    w.servers_get_ready(["bbbbbbbb"])
    w.run()
    assert selected(w) == "aaaaaaaa"


def test_a_pod_that_was_evicted_before_a_suspension_does_not_make_the_return_hopeless() -> None:
    w = suspended_with_a_newer_model()
    dead(w, "aaaaaaaa")  # a ReplicaSet that is scaled to 0 leaves failed pods where they are
    resume(w)
    w.run()
    assert w.status["phase"] == "Resuming"
    w.servers_get_ready(["bbbbbbbb"])
    w.run()
    assert selected(w) == "aaaaaaaa"
