"""When a retraining starts, which TrainingJob it is, and how it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelyard.api.drift import CheckStatus, DriftMonitorSpec, DriftMonitorStatus, RetrainStatus
from modelyard.api.serving import Revision
from modelyard.contract.reasons import Reason
from modelyard.plan.retrain import (
    Loop,
    consider,
    failed,
    follow_proposal,
    follow_training,
    hindrance,
    promoted,
    refused,
)

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
CHAMPION = "sha256:" + "a" * 64
ROOT: dict[str, Any] = {
    "kind": "TrainingJob",
    "metadata": {"name": "churn", "namespace": "ns", "uid": "root-uid"},
    "spec": {
        "datasetRef": {"name": "churn", "digest": "sha256:" + "d" * 64},
        "recipe": {"name": "tabular", "task": "classification"},
        "objective": {"metric": "accuracy", "minimum": "0.7"},
    },
    "status": {"phase": "Succeeded"},
}


def check(verdict: str = "Degraded", **more: Any) -> CheckStatus:
    base = {"job": "m-check-1", "at": "2026-01-01T11:59:00Z", "windowEnd": "2026-01-01T11:58:00Z"}
    said = {"message": "accuracy fell from 0.9 to 0.7", "modelDigest": CHAMPION}
    return CheckStatus.model_validate({"verdict": verdict, **base, **said, **more})


def loop(
    *,
    found: int = 1,
    last: CheckStatus | None = None,
    family: tuple[dict[str, Any], ...] = (ROOT,),
    annotations: dict[str, str] | None = None,
    retrain: dict[str, Any] | None = None,
    **status: Any,
) -> Loop:
    policy = {"action": "Retrain", **(retrain or {})}
    spec = DriftMonitorSpec.model_validate({"modelDeploymentRef": {"name": "churn"}, "retrain": policy})
    stable = Revision(revision="a" * 8, model_digest=CHAMPION, training_job="churn", since="2026-01-01T00:00:00Z")
    monitor = {"metadata": {"name": "m", "namespace": "ns", "uid": "m-uid", "annotations": annotations or {}}}
    present = DriftMonitorStatus(
        findings_in_a_row=found, champion_digest=CHAMPION, last_check=last or check(), **status
    )
    return Loop(monitor, spec, present, stable, {j["metadata"]["name"]: j for j in family}, "churn", NOW)


def running(state: str = "Training", **more: Any) -> RetrainStatus:
    document = {
        "id": "0a1b2c3d",
        "trigger": "Performance",
        "state": state,
        "trainingJob": "churn-r-0a1b2c3d",
        "championDigest": CHAMPION,
        "requestedAt": "2026-01-01T11:00:00Z",
        **more,
    }
    return RetrainStatus.model_validate(document)


def child(phase: str, **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "churn-r-0a1b2c3d"}, "spec": {}, "status": {"phase": phase, **status}}


def test_a_finding_starts_a_retraining_and_says_why() -> None:
    after = consider(loop())
    assert after.current.state == "Training"
    assert after.current.training_job == f"churn-r-{after.current.id}"
    assert after.apply == ()  # created only once the decision is written
    assert [(e.reason, e.message) for e in after.events] == [
        (Reason.RETRAINING, f"accuracy fell from 0.9 to 0.7; retraining as {after.current.training_job}")
    ]


def test_the_same_finding_has_the_same_id_whenever_it_is_decided() -> None:
    late = Loop(**{**loop().__dict__, "now": NOW + timedelta(hours=5)})
    assert consider(late).current.id == consider(loop()).current.id


def test_newer_rows_give_another_id() -> None:
    newer = consider(loop(last=check(windowEnd="2026-01-01T13:00:00Z")))
    assert newer.current.id != consider(loop()).current.id


@pytest.mark.parametrize(
    ("situation", "reason"),
    [
        (loop(retrain={"action": "Alert"}), Reason.UP_TO_DATE),
        (loop(next_retrain_at="2026-01-01T12:00:01Z"), Reason.COOLDOWN),
        (loop(last=check("QualityViolation")), Reason.QUALITY_VIOLATION),
        (loop(family=()), Reason.WAITING_FOR_MODEL),
    ],
)
def test_what_hinders_a_retraining_is_named(situation: Loop, reason: Reason) -> None:
    hindered = hindrance(situation)
    assert hindered is not None
    assert hindered[0] == reason
    assert consider(situation) is situation


def test_a_cooldown_that_is_over_hinders_nothing() -> None:
    assert consider(loop(next_retrain_at="2026-01-01T12:00:00Z")).current.state == "Training"


@pytest.mark.parametrize(
    "situation",
    [
        loop(found=0),
        loop(found=2, retrain={"consecutive": 3}),
        loop(last=check("Drifted", driftedColumns=1)),
        loop(last=check(modelDigest="sha256:" + "b" * 64)),
        loop(found=3, last=check("InsufficientData")),
    ],
)
def test_without_enough_findings_about_the_champion_nothing_starts(situation: Loop) -> None:
    assert consider(situation) is situation


def test_the_same_rows_are_never_answered_twice() -> None:
    first = consider(loop()).current
    done = first.model_copy(update={"state": "Failed"})
    again = loop()
    again = again.holding(retrain=done)
    assert consider(again) is again
    exists = loop(family=(ROOT, {"metadata": {"name": first.training_job}, "spec": {}}))
    assert consider(exists) is exists


def test_a_proposal_waits_for_its_own_id() -> None:
    policy = {"action": "Propose"}
    proposed = consider(loop(retrain=policy))
    assert proposed.current.state == "Proposed"
    assert f"modelyard.dev/approve={proposed.current.id}" in proposed.events[0].message
    other = loop(annotations={"modelyard.dev/approve": "ffffffff"}, retrain=policy).holding(retrain=proposed.current)
    assert follow_proposal(other) is other
    right = loop(annotations={"modelyard.dev/approve": proposed.current.id}, retrain=policy).holding(
        retrain=proposed.current
    )
    assert follow_proposal(right).current.state == "Training"
    assert follow_proposal(right).current.requested_at == "2026-01-01T12:00:00Z"


def test_a_proposal_that_no_finding_speaks_for_any_more_is_withdrawn() -> None:
    calm = loop(found=0, last=check("Stable")).holding(retrain=running("Proposed"))
    assert follow_proposal(calm).status.retrain is None


def test_the_training_job_is_the_roots_spec_on_fresh_data() -> None:
    (job,) = follow_training(loop().holding(retrain=running())).apply
    assert job["metadata"]["name"] == "churn-r-0a1b2c3d"
    assert job["metadata"]["labels"]["modelyard.dev/family"] == "churn"
    assert job["metadata"]["ownerReferences"][0]["uid"] == "root-uid"
    assert job["spec"] == {
        "datasetRef": {"name": "churn", "checkedAfter": "2026-01-01T11:00:00Z"},
        "recipe": {"name": "tabular", "task": "classification"},
        "objective": {"metric": "accuracy", "minimum": "0.7"},
        "trigger": {
            "driftMonitorRef": {"name": "m"},
            "rootRef": {"name": "churn"},
            "reason": "Performance",
        },
    }


def test_a_training_that_goes_on_is_waited_for() -> None:
    waiting = loop(family=(ROOT, child("Running"))).holding(retrain=running())
    assert follow_training(waiting) is waiting


def test_a_trained_model_goes_to_the_gate() -> None:
    trained = loop(family=(ROOT, child("Succeeded", model={"digest": CHAMPION}))).holding(retrain=running())
    after = follow_training(trained)
    assert (after.current.state, after.current.gate_attempt) == ("Gating", 1)
    assert after.current.gate_started_at == "2026-01-01T12:00:00Z"


def test_a_failed_training_cools_down_without_doubling() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "CriteriaNotMet", "message": "accuracy 0.6 < 0.7"}
    broken = loop(family=(ROOT, child("Failed", conditions=[condition])), refused_in_a_row=1)
    after = follow_training(broken.holding(retrain=running()))
    assert after.current.state == "Failed"
    assert after.events[0].reason == Reason.RETRAIN_FAILED
    assert "CriteriaNotMet: accuracy 0.6 < 0.7" in after.events[0].message
    assert after.status.refused_in_a_row == 1
    assert not after.status.history[-1].promoted


def test_a_promotion_is_written_where_the_training_job_reads_it() -> None:
    after = promoted(loop(refused_in_a_row=2).holding(retrain=running("Gating")), "better by 0.1")
    entry = after.status.history[-1]
    assert (entry.training_job, entry.promoted, entry.message) == ("churn-r-0a1b2c3d", True, "better by 0.1")
    assert (after.status.refused_in_a_row, after.status.findings_in_a_row) == (0, 0)
    assert after.status.next_retrain_at == "2026-01-01T13:00:00Z"


@pytest.mark.parametrize(
    ("before", "cooldown", "then"),
    [
        (0, "1h", "2026-01-01T14:00:00Z"),
        (1, "1h", "2026-01-01T16:00:00Z"),
        (30, "1h", "2026-01-15T12:00:00Z"),
        (5, "30d", "2026-01-31T12:00:00Z"),
    ],
)
def test_the_cooldown_doubles_with_each_refusal_up_to_two_weeks(before: int, cooldown: str, then: str) -> None:
    at_gate = loop(refused_in_a_row=before, retrain={"cooldown": cooldown}).holding(retrain=running("Gating"))
    after = refused(at_gate, "worse by 0.1")
    assert (after.status.next_retrain_at, after.status.refused_in_a_row) == (then, before + 1)


def test_history_keeps_the_newest_twenty() -> None:
    present = loop().holding(retrain=running())
    for _ in range(25):
        present = failed(present.holding(retrain=running()), "no")
    assert len(present.status.history) == 20
