"""Why Kubernetes refuses to create a pod, in plain words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.reasons import Reason
from modelyard.contract.wording import LIMIT
from modelyard.plan.observe import Told
from modelyard.plan.refusal import of_deployment, of_events, refused
from tests.unit.plan.builders import built
from tests.unit.plan.refusals import REFUSALS


@pytest.mark.parametrize(("said", "reason", "part", "blame"), [c[1:] for c in REFUSALS], ids=[c[0] for c in REFUSALS])
def test_a_refusal_names_what_refuses_and_the_fix(said: str, reason: Reason, part: str, blame: str) -> None:
    failure = refused(f"Error creating: {said}")
    assert (failure.reason, failure.blame, failure.ended) == (reason, blame, False)
    assert part in failure.message


@given(st.text(max_size=2000))
def test_no_words_break_it_or_its_bound(said: str) -> None:
    assert len(refused(said).message) <= LIMIT


def test_the_last_refusal_counts() -> None:
    told = (
        Told("SuccessfulCreate", "Created pod: x", "2026-03-01T12:00:03"),
        Told("FailedCreate", f"Error creating: {REFUSALS[0][1]}", "2026-03-01T12:00:02"),
        Told("FailedCreate", f"Error creating: {REFUSALS[3][1]}", "2026-03-01T12:00:01"),
    )
    failure = of_events(told)
    assert failure is not None
    assert failure.reason == Reason.QUOTA_EXCEEDED
    assert of_events(told[:1]) is None


def test_a_deployment_whose_pods_were_allowed_after_all_says_nothing() -> None:
    deployment = built("Deployment", "m-a", "apps/v1")
    assert of_deployment(deployment) is None
    assert of_deployment(deployment.condition("ReplicaFailure", "False", message=REFUSALS[0][1])) is None
    assert of_deployment(deployment.condition("ReplicaFailure", message=REFUSALS[0][1])) is not None
