"""From findings to a TrainingJob: once, on fresh data, with a person's approval where asked for."""

from modelyard.plan.plan import Key
from tests.unit.plan.builders import training_job
from tests.unit.plan.monitored import ENDPOINT, check, checked, decay, ends, gating, served, trains, world
from tests.unit.plan.world import World


def test_drift_retrains_where_the_user_says_so() -> None:
    w = world(when=["DataDrift"])
    checked(w, check("Drifted", driftedColumns=1))
    assert w.status["retrain"]["trigger"] == "DataDrift"


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


def test_labels_that_are_late_withdraw_no_proposal() -> None:
    w = world(action="Propose")
    checked(w, decay())
    checked(w, check("Stable", columns=7, windowEnd="2026-03-01T13:00:00Z"))
    assert w.condition("PerformanceDegraded") == ("Unknown", "InsufficientData")
    assert (w.status["phase"], w.status["findingsInARow"]) == ("Proposed", 1)


def policy(w: World, **changed: str) -> None:
    w.resource = w.resource.spec(retrain={**w.resource["spec"]["retrain"], **changed})
    w.run()


def test_a_proposal_goes_on_when_the_policy_is_to_retrain() -> None:
    w = world(action="Propose")
    checked(w, decay())
    w.pass_(3600)
    policy(w, action="Retrain")
    retrain = w.status["retrain"]
    assert (retrain["state"], retrain["requestedAt"]) == ("Training", "2026-03-01T13:01:00Z")
    assert ("TrainingJob", retrain["trainingJob"]) in w.related
    assert "spec.retrain.action is Retrain now" in w.events[-1].message


def test_a_proposal_waits_for_sound_data_whatever_the_policy() -> None:
    w = world(action="Propose")
    checked(w, decay())
    checked(w, check("QualityViolation"))
    policy(w, action="Retrain")
    assert w.status["phase"] == "Proposed"


def test_a_proposal_is_withdrawn_when_the_policy_is_to_alert() -> None:
    w = world(action="Propose")
    checked(w, decay())
    w.resource = w.resource.annotated(approve=w.status["retrain"]["id"])
    policy(w, action="Alert")
    assert "retrain" not in w.status
    assert "is withdrawn: spec.retrain.action is Alert now" in w.events[-1].message


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
    assert w.look().relies_on == (Key("TrainingJob", "ns", name), ENDPOINT)
    w.run()
    assert w.status["retrain"]["state"] == "Failed"
    assert ("TrainingJob", name) not in w.related


def test_without_the_job_whose_spec_is_copied_a_retraining_fails() -> None:
    w = world()
    checked(w, decay())
    for name in ("t", w.status["retrain"]["trainingJob"]):
        w.related.pop(("TrainingJob", name))
    assert w.look().relies_on == (Key("TrainingJob", "ns", "t"), ENDPOINT)
    w.run()
    assert w.status["retrain"]["state"] == "Failed"
    assert w.look().relies_on == ()


def other_family(w: World) -> None:
    """The endpoint follows `other` from now on; until that is rolled out a model of `t` serves."""
    w.related = {k: v for k, v in w.related.items() if k[0] != "TrainingJob"}
    w.set(served().spec(model={"trainingJobRef": {"name": "other"}}), training_job("other").status(phase="Succeeded"))


def test_an_endpoint_of_another_family_ends_a_training_and_changes_no_job() -> None:
    w = world()
    checked(w, decay())
    other_family(w)
    w.run()
    assert [name for kind, name in w.related if kind == "TrainingJob"] == ["other"]
    assert w.status["retrain"]["state"] == "Failed"
    assert "follows another family of models now" in w.status["history"][0]["message"]


def test_an_endpoint_of_another_family_ends_a_gate() -> None:
    w = gating()
    other_family(w)
    w.run()
    assert (w.status["retrain"]["state"], w.status["refusedInARow"]) == ("Failed", 0)
    assert "follows another family of models now" in w.status["history"][0]["message"]


def test_a_retraining_copies_its_root_as_it_is_by_then() -> None:
    w = world()
    w.pass_(60)
    ends(w, "w-check-1", decay())
    w.step()
    plan = w.look()
    name = w.status["retrain"]["trainingJob"]
    assert name in [c["metadata"]["name"] for c in plan.apply]
    assert plan.relies_on == (Key("TrainingJob", "ns", "t"), Key("TrainingJob", "ns", name))
    w.run()
    assert w.look().relies_on == ()
