"""Whether servers answer as training did: what they tell, and what a mismatch looks like."""

import json
from typing import Any

import pytest

from tests.unit.plan.endpoints import broken, model, rolling, selected, serving, step, world
from tests.unit.plan.world import World

MESSAGE = "model.onnx answers low to example row 1, and answered high when it was trained (2 of 3 rows differ)"
MISMATCH = json.dumps({"result": "failure", "blame": "world", "reason": "ServingParity", "message": MESSAGE})


def mismatched(w: World, name: str, restarts: int) -> None:
    """Its servers ended that often because they answer otherwise."""
    broken(
        w,
        name,
        restartCount=restarts,
        state={"waiting": {"reason": "CrashLoopBackOff"}},
        lastState={"terminated": {"exitCode": 1, "message": MISMATCH}},
    )
    w.run()


def told(w: World, **parity: Any) -> None:
    for name in w.names("Pod"):
        w.readings[name] = {"parity": parity}
    w.run()


def test_ready_servers_are_asked_until_one_tells_and_then_no_more() -> None:
    w = world()
    w.run()
    w.servers_get_ready()
    w.readings.clear()
    plan = w.run()
    assert set(plan.poll) == {"m-aaaaaaaa-0", "m-aaaaaaaa-1"}
    assert w.condition("ServingParity") == ("True", "Ready")
    w.readings["m-aaaaaaaa-1"] = {"parity": {"rows": 3, "maxDifference": 1.234e-7}}
    plan = w.run()
    assert plan.poll == ()
    assert w.status["stable"]["parity"] == {"rows": 3, "maxDifference": "0.00000012"}
    assert w.message("ServingParity").endswith(
        "answer 3 recorded rows (largest difference 0.00000012) as when it was trained"
    )


@pytest.mark.parametrize(
    ("parity", "condition", "says"),
    [
        ({"rows": 1}, ("True", "Ready"), "answer 1 recorded row as"),
        ({"rows": 3, "maxDifference": 1e-16}, ("True", "Ready"), "(largest difference 0)"),
        ({"rows": 0}, ("Unknown", "Ready"), "training recorded no answers"),
    ],
)
def test_what_was_compared_is_said(parity: dict[str, Any], condition: tuple[str, str], says: str) -> None:
    w = world()
    w.run()
    w.servers_get_ready()
    told(w, **parity)
    assert w.condition("ServingParity") == condition
    assert says in w.message("ServingParity")


def test_servers_that_answer_otherwise_fail_the_endpoint_with_the_reason_and_not_for_ever() -> None:
    w = world()
    w.run()
    mismatched(w, "m-aaaaaaaa", 0)
    assert w.condition("ServingParity") == ("False", "ServingParity")
    assert (w.status["phase"], w.condition("Ready")) == ("Starting", ("False", "ServingParity"))
    mismatched(w, "m-aaaaaaaa", 3)
    assert (w.status["phase"], w.condition("Stalled")) == ("Failed", ("True", "ServingParity"))
    for type_ in ("Ready", "ServingParity"):
        assert "2 of 3 rows differ" in w.message(type_)
    assert "reasons/ServingParity" in w.message("ServingParity")


def test_a_candidate_that_answers_otherwise_is_taken_back_and_never_gets_a_request() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    mismatched(w, "m-bbbbbbbb", 1)
    assert w.condition("ServingParity") == ("False", "ServingParity")
    assert w.message("ServingParity").startswith("of the candidate ")
    assert w.condition("Ready")[0] == "True"
    mismatched(w, "m-bbbbbbbb", 3)
    assert "candidate" not in w.status
    assert w.status["rolledBack"][0]["message"].startswith("ServingParity: ")
    assert w.condition("RolloutHealthy") == ("False", "RolledBack")
    assert w.condition("ServingParity") == ("True", "Ready")
    assert selected(w) == "aaaaaaaa"


def test_what_the_candidate_told_goes_with_it_when_it_is_promoted() -> None:
    w = rolling()
    assert w.status["candidate"]["parity"] == {"rows": 3, "maxDifference": "0"}
    for _ in range(2):
        step(w, 30, requests=30)
    assert (w.status["stable"]["revision"], w.status["stable"]["parity"]["rows"]) == ("bbbbbbbb", 3)
    assert "revision bbbbbbbb" in w.message("ServingParity")
