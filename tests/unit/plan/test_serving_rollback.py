"""What rolls a candidate back, and what is left of it afterwards."""

import pytest

from modelyard.contract.reasons import Reason
from tests.unit.plan.endpoints import FAILURE, broken, dead, model, rolling, selected, serving, step


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


def test_an_unsafe_model_is_rolled_back_at_once() -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    broken(w, "m-bbbbbbbb", state={"terminated": {"exitCode": 1, "message": FAILURE}})
    w.run()
    assert "UnsafeModel" in w.status["rolledBack"][0]["message"]
    assert "os.system is not allowed" in w.status["rolledBack"][0]["message"]


@pytest.mark.parametrize(("restarts", "kept"), [(1, True), (3, False)])
@pytest.mark.parametrize(
    "said",
    ["boom", '{"result": "failure", "blame": "world", "reason": "ServingParity", "message": "answers 1, not 2"}'],
)
def test_a_candidate_that_falls_over_again_and_again_is_rolled_back(restarts: int, kept: bool, said: str) -> None:
    w = serving()
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    last = {"terminated": {"exitCode": 2, "message": said}}
    broken(w, "m-bbbbbbbb", state=waiting, lastState=last, restartCount=restarts)
    w.run()
    assert ("candidate" in w.status) is kept


def test_an_operator_that_was_away_takes_nothing_back_for_traffic_that_it_did_not_ask_about() -> None:
    w = rolling()
    step(w, 300, requests=2)  # 4 of 20 so far
    assert w.condition("RolloutHealthy") == ("True", "WaitingForTraffic")
    w.readings.clear()
    w.pass_(400)
    w.run()
    assert w.status["rolledBack"] == []


@pytest.mark.parametrize("requests", [2, 50])
def test_a_candidate_of_which_nobody_can_be_asked_is_taken_back_after_another_deadline(requests: int) -> None:
    w = rolling()
    step(w, 1, requests=requests)
    w.readings.clear()  # from now on no management port answers
    w.pass_(900)
    w.run()
    since = w.status["rollout"]["silentSince"]
    w.pass_(500)
    w.run()
    assert (w.status["rollout"]["silentSince"], w.status["rolledBack"]) == (since, [])
    w.pass_(100)
    w.run()
    assert "no server told its figures" in w.status["rolledBack"][0]["message"]


def test_servers_that_tell_again_end_the_silence() -> None:
    w = rolling()
    w.readings.clear()
    w.pass_(900)
    w.run()
    assert w.status["rollout"]["silentSince"]
    step(w, 60, requests=5)
    assert "silentSince" not in w.status.get("rollout", {})


def test_a_pod_that_was_evicted_and_replaced_is_no_reason_to_take_a_candidate_back() -> None:
    w = rolling()
    dead(w, "bbbbbbbb")
    step(w, 700, requests=100)
    assert w.status["rolledBack"] == []
    step(w, 700, requests=2)
    assert "too little traffic" in w.status["rolledBack"][0]["message"]
