"""What a monitor says of a check's result, and what it does not say."""

from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailureResult
from tests.unit.plan.monitored import ENDPOINT, check, checked, decay, ends, served, world


def test_no_rows_are_never_no_drift() -> None:
    w = world()
    checked(w, check("NoRows", rows=0))
    assert (w.status["phase"], w.condition("Ready")) == ("InsufficientData", ("True", "NoRows"))
    assert w.condition("DriftDetected") == ("Unknown", "NoRows")
    assert w.condition("PerformanceDegraded") == ("Unknown", "NoRows")
    assert w.condition("DataQuality") == ("Unknown", "NoRows")


def test_a_finding_is_about_what_the_endpoint_serves_now() -> None:
    w = world()
    ends(w, "w-check-1", decay())
    assert w.look().relies_on == (ENDPOINT,)
    w.run()
    assert w.status["retrain"]["state"] == "Training"
    assert w.look().relies_on == ()


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
    assert w.message("DriftDetected") == "1 of 7 columns moved: price (0.21) (see docs/reasons/Drifted.md)"
    assert [(e.type, e.reason) for e in w.events] == [("Warning", Reason.DRIFTED)]
    assert "retrain" not in w.status


def test_broken_data_blocks_retraining() -> None:
    w = world()
    checked(w, check("QualityViolation", qualityFindings=["price is null in 40 % of rows"]))
    assert (w.status["phase"], w.condition("DataQuality")) == ("Blocked", ("False", "QualityViolation"))
    assert w.condition("RetrainAllowed") == ("False", "QualityViolation")
    assert "retrain" not in w.status


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
        "2 findings in a row: it is Degraded; spec.retrain.action is Alert, a person decides "
        "(see docs/reasons/Degraded.md)"
    ]
    assert "retrain" not in w.status
    assert w.condition("RetrainAllowed")[0] == "False"


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
