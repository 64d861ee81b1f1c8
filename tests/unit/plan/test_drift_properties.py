"""Whatever checks, trainings and gates say, in whatever order: the loop comes to rest and keeps its brakes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.contract.results import FailureResult
from tests.unit.plan.monitored import check, checked, decay, ends, gate, gate_jobs, served, trains, world
from tests.unit.plan.world import World

ACTIONS = ["decay", "stable", "noRows", "broken", "lost", "trained", "failed", "promote", "refuse", "few", "serve"]
ACTIONS += ["hour", "day", "lose", "run", "suspend", "resume"]
LOST = FailureResult(blame="world", reason="NodeLost", message="gone")


def act(w: World, action: str, count: int) -> None:
    end = w.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    state = w.status.get("retrain", {}).get("state")
    open_gates = [n for n in gate_jobs(w) if ("Pod", f"{n}-0") not in w.children]
    match action:
        case "decay":
            checked(w, decay(windowEnd=end))
        case "stable" | "noRows" | "broken":
            verdict = {"stable": "Stable", "noRows": "NoRows", "broken": "QualityViolation"}[action]
            checked(w, check(verdict, windowEnd=end))
        case "trained" | "failed" if state == "Training":
            trains(w, "Succeeded" if action == "trained" else "Failed")
        case "promote" | "refuse" | "few" if open_gates:
            ends(
                w,
                open_gates[0],
                gate({"promote": "Promote", "refuse": "Refuse"}.get(action, "InsufficientData")),
                "gate",
            )
        case "lost" if open_gates:
            ends(w, open_gates[0], LOST, "gate")
        case "serve":
            w.set(served("abcdef"[count % 6]))
        case "hour" | "day":
            w.pass_(3600 if action == "hour" else 86400)
        case "lose":
            w.step(lose_status=True)
        case "run" | "suspend" | "resume":
            changed = w.resource.annotated(run=str(count))
            w.resource = changed if action == "run" else w.resource.spec(suspend=action == "suspend")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), max_size=16), st.integers(1, 2))
def test_a_loop_rests_runs_one_retraining_at_a_time_and_forgets_no_verdict(actions: list[str], row: int) -> None:
    w = world(consecutive=row)
    ended: dict[str, bool] = {}
    for count, action in enumerate(actions):
        known, jobs = len(w.status.get("history", [])), len(w.related)
        before = w.status.get("retrain", {})
        act(w, action, count)
        w.run()
        history = w.status.get("history", [])
        assert len(w.related) <= jobs + 1
        if len(w.related) > jobs:
            assert not w.resource["spec"].get("suspend")
            assert before.get("state") not in ("Training", "Gating")
            assert w.status["findingsInARow"] >= row
        assert len(history) >= known
        for entry in history:
            assert ended.setdefault(entry["trainingJob"], entry["promoted"]) == entry["promoted"]
        assert len({e["trainingJob"] for e in history}) == len(history)
        again = w.look()
        assert (again.status, again.events) == (w.status, ())
