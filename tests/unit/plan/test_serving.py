"""An endpoint's life: first model, canary, promotion, rollback, and what is left of it afterwards."""

from typing import Any

import pytest

from modelyard.contract.reasons import Reason
from modelyard.plan.serving import plan_serving
from tests.unit.plan.builders import Built, deployment, digest, training_job
from tests.unit.plan.world import World

ROLLOUT = {
    "steps": [{"weight": 10, "hold": "30s"}, {"weight": 50, "hold": "30s"}, {"weight": 100}],
    "checks": [{"metric": "errorRate", "max": "0.01"}, {"metric": "disagreement", "max": "0.3"}],
    "minRequests": 20,
    "progressDeadline": "10m",
}
FAILURE = '{"result": "failure", "blame": "user", "reason": "UnsafeModel", "message": "os.system is not allowed"}'


def model(name: str, letter: str, day: int, *, approved: bool = True) -> Built:
    job = training_job(name)
    if name != "t":
        trigger = {"driftMonitorRef": {"name": "w"}, "rootRef": {"name": "t"}, "reason": "Performance"}
        job = job.spec(trigger=trigger)
    artifact = {
        "digest": digest(letter),
        "format": "skops",
        "bytes": 1,
        "profileDigest": digest("e"),
        "createdAt": f"2026-02-0{day}T00:00:00Z",
    }
    job = job.status(phase="Succeeded", model=artifact, datasetDigest=digest("d"))
    return job.condition("Approved", "True" if approved else "False")


def world(*jobs: Built, **spec: Any) -> World:
    endpoint = deployment().spec(replicas={"min": 2}, rollout=ROLLOUT, **spec)
    return World(plan_serving, endpoint, *(jobs or (model("t", "a", 1),)))


def serving(*jobs: Built, **spec: Any) -> World:
    """The first model serves."""
    w = world(*jobs, **spec)
    w.run()
    w.servers_get_ready()
    w.run()
    w.events.clear()
    return w


def rolling(**spec: Any) -> World:
    """A candidate is ready and gets its first share."""
    w = serving(**spec)
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    w.servers_get_ready()
    w.run()
    return w


def selected(w: World) -> str:
    return str(w.child("Service", "m")["spec"]["selector"]["modelyard.dev/revision"])


def step(w: World, seconds: float, **figures: Any) -> None:
    w.servers_are_told(w.look(), **figures)
    w.pass_(seconds)
    w.run()


def test_without_a_model_it_waits_and_says_what_the_job_says() -> None:
    w = world(training_job("t").status(phase="Running").condition("Ready", "False", "Training", "epoch 3 of 9"))
    plan = w.run()
    assert plan.apply == ()
    assert (w.status["phase"], w.condition("Ready")) == ("Pending", ("False", "WaitingForModel"))
    assert w.message() == "TrainingJob t has no approved model yet: Training: epoch 3 of 9"
    assert w.condition("Reconciling")[0] == "True"


def test_a_job_that_does_not_exist_is_named() -> None:
    w = World(plan_serving, deployment())
    w.run()
    assert w.message() == "TrainingJob t does not exist: create it"


def test_a_failed_job_needs_a_person() -> None:
    w = world(training_job("t").status(phase="Failed").condition("Ready", "False", "UserError", "exit code 3"))
    w.run()
    assert w.condition("Stalled") == ("True", "WaitingForModel")
    assert "UserError: exit code 3" in w.message()


def test_the_first_model_serves_without_a_canary() -> None:
    w = world()
    w.run()
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    assert w.names("Service") == ["m", "m-aaaaaaaa"]
    assert w.names("PodDisruptionBudget") == ["m"]
    assert (w.status["phase"], w.condition("Ready")) == ("Starting", ("False", "Starting"))
    w.servers_get_ready(ready=1)
    w.run()
    assert w.condition("Ready") == ("False", "Starting")
    w.servers_get_ready()
    w.run()
    assert (w.status["phase"], w.condition("Ready")) == ("Ready", ("True", "Ready"))
    assert (w.status["url"], w.status["readyReplicas"]) == ("http://m.ns.svc", 2)
    assert w.status["stable"]["trainingJob"] == "t"
    assert w.status["stable"]["profileDigest"] == digest("e")
    assert w.condition("RolloutHealthy") == ("True", "UpToDate")


def test_a_server_is_replaced_only_by_one_that_is_ready() -> None:
    spec = serving().child("Deployment", "m-aaaaaaaa")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    container = spec["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 35
    assert spec["template"]["spec"]["topologySpreadConstraints"][0]["whenUnsatisfiable"] == "ScheduleAnyway"


def test_the_endpoint_has_port_80_and_a_revision_the_servers_own() -> None:
    w = serving()
    port = {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}
    assert w.child("Service", "m")["spec"]["ports"] == [port]
    assert w.child("Service", "m-aaaaaaaa")["spec"]["ports"][0]["port"] == 8080


def test_one_replica_has_no_disruption_budget() -> None:
    w = serving()
    w.resource = w.resource.spec(replicas={"min": 1})
    w.run()
    assert w.names("PodDisruptionBudget") == []


def test_an_approved_challenger_starts_beside_the_stable_revision() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    plan = w.run()
    assert w.names("Deployment") == ["m-aaaaaaaa", "m-bbbbbbbb"]
    assert selected(w) == "aaaaaaaa"
    assert (w.status["candidate"]["trainingJob"], w.status["rollout"]["step"]) == ("t-r-00000001", -1)
    assert (w.status["phase"], w.condition("Ready")) == ("RollingOut", ("True", "RollingOut"))
    assert w.condition("Reconciling") == ("True", "RollingOut")
    assert (plan.routing, plan.poll) == ({}, ())


def test_a_refused_challenger_is_never_served() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2, approved=False))
    w.run()
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    assert w.events == []


def test_only_the_stable_servers_are_told_the_share_and_asked_for_figures() -> None:
    w = rolling()
    plan = w.look()
    assert set(plan.routing) == set(plan.poll) == {"m-aaaaaaaa-0", "m-aaaaaaaa-1"}
    told = plan.routing["m-aaaaaaaa-0"]
    assert (told.epoch, told.candidate, told.weight) == ("bbbbbbbb/0", "bbbbbbbb", 10)


def test_a_good_candidate_is_promoted_step_by_step() -> None:
    w = rolling()
    step(w, 30, requests=10)
    assert (w.status["rollout"]["weight"], w.status["phase"]) == (50, "RollingOut")
    step(w, 30, requests=10)
    assert (w.status["stable"]["revision"], w.status["previous"]["revision"]) == ("bbbbbbbb", "aaaaaaaa")
    assert "rollout" not in w.status
    assert "candidate" not in w.status
    assert selected(w) == "bbbbbbbb"
    assert w.condition("Ready") == ("True", "Ready")
    assert w.condition("RolloutHealthy") == ("True", "Promoted")
    assert [e.reason for e in w.events] == [Reason.ROLLING_OUT] * 3 + [Reason.PROMOTED]


def test_after_promotion_the_previous_servers_drain_and_go() -> None:
    w = rolling()
    step(w, 30, requests=10)
    step(w, 30, requests=10)
    plan = w.look()
    assert plan.requeue_after is not None
    assert plan.routing["m-aaaaaaaa-0"].weight == 0
    assert "m-aaaaaaaa" in w.names("Deployment")
    step(w, 29)
    assert "m-aaaaaaaa" in w.names("Deployment")
    step(w, 1)
    assert w.names("Deployment") == ["m-bbbbbbbb"]
    assert w.names("Service") == ["m", "m-bbbbbbbb"]
    assert len(w.names("ConfigMap")) == 1
    assert w.look().requeue_after is None


def test_errors_roll_back_at_once_and_the_endpoint_stays_ready() -> None:
    w = rolling()
    step(w, 1, requests=10, errors=3)
    assert w.status["rolledBack"][0]["revision"] == "bbbbbbbb"
    assert "errorRate is 0.3, allowed is 0.01" in w.status["rolledBack"][0]["message"]
    assert (w.status["phase"], w.condition("Ready")) == ("Ready", ("True", "Ready"))
    assert w.condition("RolloutHealthy") == ("False", "RolledBack")
    assert (w.events[-1].type, w.events[-1].reason) == ("Warning", Reason.ROLLED_BACK)
    assert selected(w) == "aaaaaaaa"


def test_disagreement_rolls_back() -> None:
    w = rolling()
    step(w, 30, requests=10, disagreed=5)
    assert "disagreement is 0.5, allowed is 0.3" in w.status["rolledBack"][0]["message"]
    assert "errorRate" not in w.status["rolledBack"][0]["message"]


def test_a_rolled_back_candidate_goes_when_no_server_sends_it_anything() -> None:
    w = rolling()
    step(w, 1, requests=10, errors=3)
    assert {r.weight for r in w.look().routing.values()} == {0}
    w.pass_(60)
    w.run()
    assert "m-bbbbbbbb" in w.names("Deployment")  # the stable servers have not said that they stopped
    step(w, 1)
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    assert w.names("Service") == ["m", "m-aaaaaaaa"]
    assert w.look().routing == {}


def test_a_server_that_does_not_answer_delays_the_end_of_a_candidate_by_minutes_only() -> None:
    w = rolling()
    step(w, 1, requests=10, errors=3)
    w.pass_(300)
    w.run()
    assert w.names("Deployment") == ["m-aaaaaaaa"]
    assert w.look().routing["m-aaaaaaaa-0"].weight == 0  # it may still think otherwise


def test_a_rolled_back_model_is_not_tried_again_and_a_newer_one_is() -> None:
    w = rolling()
    step(w, 1, requests=10, errors=3)
    step(w, 3600)
    assert "candidate" not in w.status
    w.set(model("t-r-00000002", "c", 3))
    w.run()
    assert w.status["candidate"]["revision"] == "cccccccc"
    assert w.condition("RolloutHealthy")[0] == "True"


def test_too_little_traffic_is_waited_for_and_then_rolls_back() -> None:
    w = rolling()
    step(w, 300, requests=2)
    assert w.condition("RolloutHealthy") == ("True", "WaitingForTraffic")
    assert w.condition("Ready") == ("True", "RollingOut")
    step(w, 330, requests=2)
    assert "too little traffic" in w.status["rolledBack"][0]["message"]


def test_a_candidate_that_never_gets_ready_is_rolled_back_at_the_deadline() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    w.pass_(599)
    w.run()
    assert w.status["candidate"]["revision"] == "bbbbbbbb"
    w.pass_(1)
    w.run()
    assert "0 of 2 pods of the candidate are ready" in w.status["rolledBack"][0]["message"]
    assert w.condition("Ready") == ("True", "Ready")


def broken(w: World, name: str, **state: Any) -> None:
    w.servers_get_ready([name.removeprefix("m-")], ready=0)
    for i in range(2):
        w.children["Pod", f"{name}-{i}"] = w.child("Pod", f"{name}-{i}").container("Running", **state)


def test_an_unsafe_model_is_rolled_back_at_once() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    broken(w, "m-bbbbbbbb", state={"terminated": {"exitCode": 1, "message": FAILURE}})
    w.run()
    assert "UnsafeModel" in w.status["rolledBack"][0]["message"]
    assert "os.system is not allowed" in w.status["rolledBack"][0]["message"]


@pytest.mark.parametrize(("restarts", "kept"), [(1, True), (3, False)])
def test_a_candidate_that_falls_over_again_and_again_is_rolled_back(restarts: int, kept: bool) -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": 2, "message": "boom"}}
    broken(w, "m-bbbbbbbb", state=waiting, lastState=last, restartCount=restarts)
    w.run()
    assert ("candidate" in w.status) is kept


def test_an_unsafe_first_model_needs_a_person_until_another_one_takes_over() -> None:
    w = world()
    w.run()
    broken(w, "m-aaaaaaaa", state={"terminated": {"exitCode": 1, "message": FAILURE}})
    w.run()
    assert (w.status["phase"], w.condition("Stalled")) == ("Failed", ("True", "UnsafeModel"))
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    w.servers_get_ready(["bbbbbbbb"])
    w.run()
    assert w.status["stable"]["revision"] == "bbbbbbbb"  # there is nobody to share with
    assert w.condition("Ready") == ("True", "Ready")


def test_servers_that_are_lost_later_make_it_degraded() -> None:
    w = serving()
    w.servers_get_ready(ready=1)
    w.run()
    assert (w.status["phase"], w.condition("Ready")) == ("Degraded", ("True", "Degraded"))
    w.servers_get_ready(ready=0)
    w.run()
    assert (w.status["phase"], w.condition("Ready")) == ("Degraded", ("False", "Degraded"))
    w.servers_get_ready()
    w.run()
    assert w.condition("Ready") == ("True", "Ready")


def test_no_steps_switch_when_the_candidate_is_ready() -> None:
    w = serving()
    w.resource = w.resource.spec(rollout={**ROLLOUT, "steps": []})
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    assert selected(w) == "aaaaaaaa"
    w.servers_get_ready()
    w.run()
    assert selected(w) == "bbbbbbbb"


def test_a_pinned_deployment_proposes_and_waits_for_git() -> None:
    w = serving(model("t", "a", 1), model={"trainingJobRef": {"name": "t"}, "follow": "Pinned"})
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    assert w.status["proposed"] == "t-r-00000001"
    assert "candidate" not in w.status
    w.resource = w.resource.spec(model={"trainingJobRef": {"name": "t-r-00000001"}, "follow": "Pinned"})
    w.run()
    assert w.status["candidate"]["trainingJob"] == "t-r-00000001"
    assert "proposed" not in w.status


def test_more_replicas_are_no_rollout() -> None:
    w = serving()
    w.resource = w.resource.spec(replicas={"min": 4})
    w.run()
    assert w.child("Deployment", "m-aaaaaaaa")["spec"]["replicas"] == 4
    assert "candidate" not in w.status


def test_another_capture_share_is_a_rolling_update_of_the_same_revision() -> None:
    w = serving()
    w.resource = w.resource.spec(capture={"percent": 10})
    kubernetes = w.child("Deployment", "m-aaaaaaaa").status(updatedReplicas=0)
    w.children["Deployment", "m-aaaaaaaa"] = kubernetes
    w.run()
    assert "candidate" not in w.status
    assert len(w.names("ConfigMap")) == 2  # pods that still run the old template may read the old task
    assert w.condition("Reconciling")[0] == "True"
    assert w.condition("Ready")[0] == "True"
    w.servers_get_ready()
    w.run()
    (config,) = w.names("ConfigMap")
    volumes = w.child("Deployment", "m-aaaaaaaa")["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["configMap"]["name"] == config


def test_a_newer_model_ends_the_rollout_under_way() -> None:
    w = rolling()
    w.set(model("t-r-00000002", "c", 3))
    w.run()
    assert (w.status["candidate"]["revision"], w.status["rollout"]["step"]) == ("cccccccc", -1)
    assert {r.weight for r in w.look().routing.values()} == {0}
    step(w, 31)
    assert w.names("Deployment") == ["m-aaaaaaaa", "m-cccccccc"]


def test_an_invalid_spec_from_before_a_rule_is_said() -> None:
    w = serving()
    w.resource = w.resource.spec(replicas={"min": 0})
    w.run()
    assert w.condition("Stalled") == ("True", "ConfigError")
    assert "spec.replicas.min" in w.message()


def test_a_lost_status_write_repeats_the_same_step() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    lost = w.step(lose_status=True)
    again = w.step()
    assert [c["metadata"]["name"] for c in lost.apply] == [c["metadata"]["name"] for c in again.apply]
    assert lost.status == again.status
