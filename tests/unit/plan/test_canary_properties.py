"""Whatever happens to an endpoint, in whatever order: planning comes to rest, and what answers is never taken away."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.plan.endpoints import model, selected, step, world
from tests.unit.plan.world import World

ACTIONS = ["approve", "refuse", "ready", "unready", "good", "errors", "quiet", "wait", "lose", "scale", "capture"]
ACTIONS += ["suspend", "resume"]


def act(w: World, action: str, count: int) -> None:
    match action:
        case "approve" | "refuse":
            name, letter = f"t-r-{count:08d}", "bcdef0123456789"[count % 15]
            w.set(model(name, letter, 1 + count % 9, approved=action == "approve"))
        case "ready" | "unready":
            w.servers_get_ready(ready=None if action == "ready" else 0)
        case "good" | "errors" | "quiet":
            figures = {"good": {"requests": 50}, "errors": {"requests": 50, "errors": 20}, "quiet": {}}[action]
            step(w, 31, **figures)
        case "wait":
            w.pass_(700)
        case "lose":
            w.step(lose_status=True)
        case "suspend" | "resume":
            w.resource = w.resource.spec(suspend=action == "suspend")
        case "scale" | "capture":
            spec: dict[str, Any] = {
                "scale": {"replicas": {"min": 1 + count % 3}},
                "capture": {"capture": {"percent": count}},
            }
            w.resource = w.resource.spec(**spec[action])


def ready(w: World, revision: str) -> int:
    deployment: dict[str, Any] = w.children.get(("Deployment", f"m-{revision}")) or {}
    return int(deployment.get("status", {}).get("readyReplicas", 0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), max_size=14))
def test_an_endpoint_never_leaves_a_revision_that_answers_for_one_that_does_not(actions: list[str]) -> None:
    w = world()
    w.run()
    for count, action in enumerate(actions):
        before = selected(w)
        act(w, action, count)
        answered = ready(w, before)
        w.run()
        after = selected(w)
        assert ("Deployment", f"m-{after}") in w.children
        if w.resource["spec"].get("suspend"):
            assert after == before
            assert w.child("Deployment", f"m-{after}")["spec"]["replicas"] == 0
            assert "candidate" not in w.status
        if after != before:
            assert ready(w, after) > 0 or not answered
        for told in w.look().routing.values():
            if told.weight:
                assert told.candidate is not None
                assert ready(w, told.candidate) > 0
        back = {r["revision"] for r in w.status.get("rolledBack", [])}
        assert w.status["stable"]["revision"] not in back
        again = w.look()
        assert (again.status, again.events) == (w.status, ())
