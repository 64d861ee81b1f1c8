"""A challenger's way through its gate: judged on newer rows, promoted, refused or looked at again."""

import pytest

from modelyard.api.conditions import timestamp
from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import GateTask
from modelyard.plan.checkup import gate_name
from modelyard.plan.plan import Key
from tests.unit.plan.builders import digest, monitor, pod, task_in
from tests.unit.plan.monitored import ENDPOINT, checked, decay, ends, gate, gate_jobs, gating, served, trains, world
from tests.unit.plan.world import World


def test_a_trained_challenger_is_judged_on_newer_rows() -> None:
    w = gating()
    (name,) = gate_jobs(w)
    assert (w.status["phase"], w.condition("Ready")) == ("Gating", ("True", "Gating"))
    task = GateTask.model_validate_json(task_in(w.child("Job", name)))
    assert task.newer_than == "2026-03-01T12:05:00Z"
    assert (task.champion.model_digest, task.challenger.model_digest) == (digest("a"), digest("c"))


def test_a_gate_begins_only_on_the_models_as_they_are() -> None:
    w = gating()
    for kind, name in [key for key in w.children if "-gate-" in key[1]]:
        w.remove(kind, name)
    challenger = Key("TrainingJob", "ns", w.status["retrain"]["trainingJob"])
    assert w.look().relies_on == (challenger, ENDPOINT)


def test_a_better_model_is_promoted_into_the_history() -> None:
    w = gating()
    w.events.clear()
    ends(w, gate_jobs(w)[0], gate("Promote"), "gate")
    judged = Key("TrainingJob", "ns", w.status["retrain"]["trainingJob"])
    assert w.look().relies_on == (judged, ENDPOINT)
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


def test_a_cooldown_is_as_long_as_the_spec_says_by_now() -> None:
    w = gating(cooldown="14d")
    ends(w, gate_jobs(w)[0], gate("Refuse"), "gate")
    w.run()
    assert w.status["nextRetrainAt"] == "2026-03-15T12:02:00Z"
    w.resource = w.resource.spec(retrain={**w.resource["spec"]["retrain"], "cooldown": "1h"})
    assert w.run().requeue_after == 7200  # it was refused
    assert w.status["nextRetrainAt"] == "2026-03-01T14:02:00Z"
    w.pass_(7200)
    checked(w, decay(windowEnd="2026-03-01T12:30:00Z"))
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
    (old,) = gate_jobs(w)
    ends(w, old, gate("InsufficientData"), "gate")
    w.run()
    w.set(served("f", "t"))
    w.run()
    (new,) = set(gate_jobs(w)) - {old}
    task = GateTask.model_validate_json(task_in(w.child("Job", new)))
    assert task.champion.model_digest == digest("f")


@pytest.mark.parametrize(
    ("champion", "challenger", "image"),
    [
        (None, "onnx", "modelyard/drift:dev"),
        ("safetensors", "skops", "modelyard/drift:dev"),
        ("torchscript", "onnx", "modelyard/drift-torch:dev"),
        ("onnx", "torch-export", "modelyard/drift-torch:dev"),
    ],
)
def test_a_gate_can_load_both_models(champion: str | None, challenger: str, image: str) -> None:
    w = world()
    w.set(served(form=champion))
    checked(w, decay())
    trains(w, form=challenger)
    (container,) = w.child("Job", gate_jobs(w)[0])["spec"]["template"]["spec"]["containers"]
    assert container["image"] == image


def test_a_verdict_against_a_model_that_no_longer_serves_promotes_nothing() -> None:
    w = gating()
    (old,) = gate_jobs(w)
    w.set(served("f", "t-better"))  # by hand, while the gate runs
    w.run()
    ends(w, old, gate("Promote"), "gate")
    w.run()
    assert w.status["retrain"]["state"] == "Gating"
    (new,) = set(gate_jobs(w)) - {old}
    task = GateTask.model_validate_json(task_in(w.child("Job", new)))
    assert task.champion.model_digest == digest("f")
    ends(w, new, gate("Refuse"), "gate")
    w.run()
    assert w.status["retrain"]["state"] == "Refused"


def test_a_verdict_about_another_model_than_the_jobs_promotes_nothing() -> None:
    w = gating()
    (old,) = gate_jobs(w)
    w.set(w.related["TrainingJob", w.status["retrain"]["trainingJob"]].status(model={"digest": digest("b")}))
    w.run()
    ends(w, old, gate("Promote"), "gate")
    w.run()
    assert w.status["retrain"]["state"] == "Gating"
    assert len(gate_jobs(w)) == 2


def test_names_of_gates_of_a_long_monitor_are_short_enough_for_their_pods() -> None:
    long = monitor("w" * 253)
    first, second = (gate_name(long, "0a1b2c3d", digest("a"), digest(c), 12) for c in "cd")
    assert first != second
    assert len(first) <= 52
    assert first.endswith("-12")


def lost(w: World, name: str) -> None:
    """The node of its pod stops answering now, and stays silent."""
    at = timestamp(w.now)
    running = pod(f"{name}-0").of(w.resource, "gate").in_job(w.child("Job", name)).running()
    gone = running.condition("DisruptionTarget", reason="DeletionByTaintManager", lastTransitionTime=at)
    w.children["Pod", f"{name}-0"] = gone.metadata(of=("Job", name), deletionTimestamp=at)


def test_a_gate_on_a_lost_node_is_tried_again_after_a_pause() -> None:
    w = gating()
    (old,) = gate_jobs(w)
    lost(w, old)
    assert w.run().requeue_after == 60
    assert gate_jobs(w) == [old]
    w.pass_(60)
    w.run()
    (new,) = set(gate_jobs(w)) - {old}
    ends(w, new, gate("Promote"), "gate")
    w.run()
    assert w.status["retrain"]["state"] == "Promoted"


def test_gates_that_are_lost_with_their_nodes_are_not_held_against_the_model() -> None:
    w = gating(gate={"timeout": "24h"})
    for _ in range(5):
        lost(w, max(gate_jobs(w), key=lambda n: int(n.rsplit("-", 1)[1])))
        w.run()
        w.pass_(300)
        w.run()
    assert (w.status["retrain"]["state"], w.status["refusedInARow"]) == ("Failed", 0)
