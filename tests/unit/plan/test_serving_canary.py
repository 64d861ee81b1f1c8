"""A candidate beside the stable revision: its share, its steps, its promotion."""

from modelyard.contract.reasons import Reason
from tests.unit.plan.endpoints import ROLLOUT, model, rolling, selected, serving, step


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


def test_a_decision_is_written_before_anything_is_done_about_it() -> None:
    w = rolling()
    step(w, 30, requests=10)
    w.servers_are_told(w.look(), requests=10)
    w.pass_(30)
    w.step()
    assert w.status["stable"]["revision"] == "bbbbbbbb"
    assert selected(w) == "aaaaaaaa"
    w.readings.clear()  # the operator is started anew
    w.run()
    assert (w.status["stable"]["revision"], selected(w)) == ("bbbbbbbb", "bbbbbbbb")


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


def test_a_newer_model_ends_the_rollout_under_way() -> None:
    w = rolling()
    w.set(model("t-r-00000002", "c", 3))
    w.run()
    assert (w.status["candidate"]["revision"], w.status["rollout"]["step"]) == ("cccccccc", -1)
    assert {r.weight for r in w.look().routing.values()} == {0}
    step(w, 31)
    assert w.names("Deployment") == ["m-aaaaaaaa", "m-cccccccc"]


def test_a_lost_status_write_repeats_the_same_step() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    lost = w.step(lose_status=True)
    again = w.step()
    assert lost.status == again.status


def test_a_candidate_that_is_no_longer_wanted_answers_until_the_servers_were_told() -> None:
    w = rolling()
    w.pass_(400)  # the stable revision has served for some minutes
    step(w, 0, requests=10)
    assert w.status["rollout"]["weight"] == 50
    w.servers_are_told(w.look(), requests=1)
    w.resource = w.resource.spec(model={"trainingJobRef": {"name": "t"}, "follow": "Pinned"})
    w.run()
    assert "candidate" not in w.status
    assert "m-bbbbbbbb" in w.names("Deployment")
    assert "m-bbbbbbbb" in w.names("Service")
    for _ in range(3):
        w.pass_(200)
        w.run()
    assert "m-bbbbbbbb" not in w.names("Deployment")
