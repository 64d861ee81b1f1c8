"""The canary's moves, one situation each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.api.conditions import timestamp
from modelyard.api.serving import Check, Rollout, RolloutStatus, Step
from modelyard.contract.progress import LATENCY_BOUNDS_MS, ServingStats, VariantStats
from modelyard.contract.reasons import Reason
from modelyard.plan.fleet import Trouble
from modelyard.plan.rollout import Candidate, Move, advance, begin, routing

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
SPEC = Rollout(
    steps=[Step(weight=10, hold="1m"), Step(weight=50, hold="1m"), Step(weight=100)],
    checks=[Check(metric="errorRate", max="0.01"), Check(metric="disagreement", max="0.3")],
    min_requests=20,
    progress_deadline="30m",
)
READY = Candidate("bbbb", ready=2, wanted=2)


def ago(seconds: float) -> str:
    return timestamp(NOW - timedelta(seconds=seconds))


def at_step(step: int, seconds: float) -> RolloutStatus:
    weight = SPEC.steps[step].weight if step >= 0 else 0
    return RolloutStatus(step=step, weight=weight, started_at=ago(seconds), step_started_at=ago(seconds))


def reading(step: int, requests: int, errors: int = 0, disagreed: int = 0) -> dict[str, Any]:
    latency = [requests, *[0] * len(LATENCY_BOUNDS_MS)]
    variant = VariantStats(requests=requests, errors=errors, latency=latency)
    stats = ServingStats(
        epoch=f"bbbb/{step}", stable=variant, candidate=variant, compared=requests, disagreed=disagreed
    )
    return stats.wire()


def move(rollout: RolloutStatus, *readings: dict[str, Any], candidate: Candidate = READY, spec: Rollout = SPEC) -> Move:
    return advance(spec, rollout, candidate, readings, NOW)


def test_a_candidate_gets_no_traffic_until_all_its_pods_are_ready() -> None:
    starting = Candidate("bbbb", ready=1, wanted=2)
    held = move(begin(NOW), candidate=starting)
    assert (held.kind, held.reason, held.message) == (
        "Hold",
        Reason.STARTING,
        "1 of 2 pods of the candidate are ready",
    )
    assert routing(starting, held.rollout).weight == 0


def test_a_ready_candidate_gets_the_first_share() -> None:
    first = move(begin(NOW))
    assert (first.kind, first.rollout.step, first.rollout.weight) == ("Advance", 0, 10)
    told = routing(READY, first.rollout)
    assert (told.epoch, told.candidate, told.weight) == ("bbbb/0", "bbbb", 10)


def test_a_step_is_held_for_its_time_even_with_traffic_enough() -> None:
    held = move(at_step(0, 30), reading(0, 100))
    assert (held.kind, held.rollout.requests) == ("Hold", 100)


def test_the_next_step_follows_when_time_and_requests_are_enough() -> None:
    following = move(at_step(0, 60), reading(0, 10), reading(0, 10))
    assert (following.kind, following.rollout.step, following.rollout.weight) == ("Advance", 1, 50)
    assert following.rollout.step_started_at == timestamp(NOW)
    assert (following.rollout.requests, following.rollout.checks) == (0, [])


@pytest.mark.parametrize("requests", [5, 100])
def test_what_servers_told_stays_until_they_tell_again_and_takes_no_step(requests: int) -> None:
    """As after a restart of the operator, which remembers no figures."""
    told = move(at_step(0, 30), reading(0, requests)).rollout
    later = told.model_copy(update={"step_started_at": ago(90)})
    for others in ((), (reading(1, 100),)):
        held = move(later, *others)
        assert held.kind == "Hold"
        assert held.rollout == later
    assert move(later, reading(0, 100)).kind == "Advance"


def test_weight_100_is_the_promotion() -> None:
    assert move(at_step(1, 60), reading(1, 20)).kind == "Promote"


def test_weight_100_with_a_hold_is_measured_before_the_promotion() -> None:
    spec = SPEC.model_copy(update={"steps": [Step(weight=50), Step(weight=100, hold="1m")]})
    before = move(at_step(0, 60), reading(0, 20), spec=spec)
    assert (before.kind, before.rollout.weight) == ("Advance", 100)
    last = RolloutStatus(step=1, weight=100, started_at=ago(60), step_started_at=ago(60))
    assert move(last, reading(1, 19), spec=spec).kind == "Hold"
    assert move(last, reading(1, 20), spec=spec).kind == "Promote"


def test_no_steps_switch_at_once_when_ready() -> None:
    assert move(begin(NOW), spec=SPEC.model_copy(update={"steps": []})).kind == "Promote"


def test_figures_of_the_step_before_do_not_count() -> None:
    held = move(at_step(1, 60), reading(0, 1000))
    assert (held.kind, held.reason, held.rollout.requests) == ("Hold", Reason.WAITING_FOR_TRAFFIC, 0)


def test_errors_take_the_candidate_back_before_the_hold_ends() -> None:
    back = move(at_step(0, 15), reading(0, 40, errors=2))
    assert (back.kind, back.reason) == ("RollBack", Reason.ROLLED_BACK)
    assert back.message == "at weight 10 after 40 requests errorRate is 0.05, allowed is 0.01"


def test_one_error_in_too_few_requests_takes_nothing_back() -> None:
    assert move(at_step(0, 15), reading(0, 19, errors=1)).kind == "Hold"


def test_disagreement_takes_the_candidate_back_when_the_hold_ends() -> None:
    assert move(at_step(0, 15), reading(0, 40, disagreed=20)).kind == "Hold"
    back = move(at_step(0, 60), reading(0, 40, disagreed=20))
    assert (back.kind, back.message) == (
        "RollBack",
        "at weight 10 after 40 requests disagreement is 0.5, allowed is 0.3",
    )


def test_too_little_traffic_holds_the_step_and_says_how_much_there_was() -> None:
    held = move(at_step(0, 600), reading(0, 7))
    assert (held.kind, held.reason) == ("Hold", Reason.WAITING_FOR_TRAFFIC)
    assert held.message.endswith("the candidate answered 7 of rollout.minRequests 20")


def test_too_little_traffic_until_the_deadline_takes_the_candidate_back() -> None:
    assert move(at_step(0, 60 + 1799), reading(0, 7)).kind == "Hold"
    back = move(at_step(0, 60 + 1800), reading(0, 7))
    assert (back.kind, back.reason) == ("RollBack", Reason.WAITING_FOR_TRAFFIC)
    assert "too little traffic" in back.message
    assert "7 of rollout.minRequests 20" in back.message


def test_no_requests_are_needed_where_none_are_asked_for() -> None:
    assert move(at_step(0, 60), spec=SPEC.model_copy(update={"min_requests": 0})).kind == "Advance"


def test_a_candidate_that_never_gets_ready_is_taken_back_at_the_deadline() -> None:
    slow = Candidate("bbbb", ready=0, wanted=2)
    assert move(at_step(-1, 1799), candidate=slow).kind == "Hold"
    back = move(at_step(-1, 1800), candidate=slow)
    assert (back.kind, back.reason) == ("RollBack", Reason.DEADLINE_EXCEEDED)


def test_a_fatal_failure_takes_the_candidate_back_at_once() -> None:
    unsafe = Candidate("bbbb", 0, 2, Trouble(Reason.UNSAFE_MODEL, "type os.system is not allowed", fatal=True))
    back = move(begin(NOW), candidate=unsafe)
    assert (back.kind, back.reason) == ("RollBack", Reason.UNSAFE_MODEL)
    assert "os.system" in back.message


def test_a_failure_of_the_world_has_until_the_deadline() -> None:
    unscheduled = Candidate("bbbb", 0, 2, Trouble(Reason.UNSCHEDULABLE, "no node has 4 CPUs", fatal=False))
    held = move(at_step(-1, 1799), candidate=unscheduled)
    assert (held.kind, held.reason) == ("Hold", Reason.UNSCHEDULABLE)
    back = move(at_step(-1, 1800), candidate=unscheduled)
    assert (back.kind, back.reason) == ("RollBack", Reason.UNSCHEDULABLE)


def test_a_candidate_that_lost_its_pods_gets_no_traffic_and_no_next_step() -> None:
    gone = Candidate("bbbb", ready=0, wanted=2)
    held = move(at_step(0, 60), reading(0, 100), candidate=gone)
    assert held.kind == "Hold"
    told = routing(gone, held.rollout)
    assert (told.weight, told.candidate) == (0, None)
    assert told.epoch != routing(READY, held.rollout).epoch  # servers hear only of a new epoch


@pytest.mark.parametrize("step", [0, 1])
def test_steps_that_were_removed_meanwhile_do_not_stop_the_rollout(step: int) -> None:
    short = SPEC.model_copy(update={"steps": [Step(weight=100)]})
    assert move(at_step(step, 60), reading(step, 20), spec=short).kind == "Promote"


@given(
    step=st.integers(-1, 1),
    seconds=st.integers(0, 4000),
    requests=st.integers(0, 60),
    share=st.floats(0, 1),
    disagreeing=st.floats(0, 1),
    ready=st.integers(0, 2),
)
def test_traffic_never_rises_without_ready_pods_enough_requests_and_passing_checks(
    step: int, seconds: int, requests: int, share: float, disagreeing: float, ready: int
) -> None:
    errors, disagreed = int(share * requests), int(disagreeing * requests)
    candidate = Candidate("bbbb", ready, 2)
    made = move(at_step(step, seconds), reading(step, requests, errors, disagreed), candidate=candidate)
    if made.kind in ("Advance", "Promote"):
        assert ready == 2
        if step >= 0:
            assert requests >= 20
            assert seconds >= 60
            assert errors <= 0.01 * requests
            assert disagreed <= 0.3 * requests


@pytest.mark.parametrize("step", [0, 1])
def test_a_check_that_failed_when_servers_last_told_is_no_pass(step: int) -> None:
    spec = SPEC.model_copy(update={"min_requests": 0})
    told = move(at_step(step, 30), reading(step, 100, disagreed=90), spec=spec)
    assert {c.verdict for c in told.rollout.checks} == {"Pass", "Fail"}
    later = told.rollout.model_copy(update={"step_started_at": ago(61)})
    assert move(later, spec=spec).kind == "Hold"
    assert move(later, reading(step, 100, disagreed=90), spec=spec).kind == "RollBack"
