"""A failure of the operator that a status told of, at any time of a resource's life, leaves nothing behind in it.

Conditions say how a resource stands: whoever wrote over them, planning again says it anew. For all four kinds.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelyard.contract.reasons import Reason
from modelyard.runtime import status
from tests.unit.plan import endpoints, monitored, test_canary_properties, test_drift_properties
from tests.unit.plan.builders import Built
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.test_crash_properties import scripts
from tests.unit.plan.test_planning_properties import (
    DATASET_ACTS,
    TRAINED,
    TRAINING_ACTS,
    Act,
    dataset_simulation,
    training_simulation,
)
from tests.unit.plan.world import World

OUTAGES = st.lists(st.sampled_from(["", "refused", "invalid", "spec"]), max_size=12)
REFUSALS = st.lists(st.sampled_from(["", "refused", "invalid"]), max_size=10)  # a broken spec ends what a phase tells


def hidden(it: Simulation | World, outage: str) -> None:
    """The status says for a while that something is wrong with the operator, or with the spec."""
    when = it.now - timedelta(seconds=1)
    planned = it.planner(it.resource, it.observed(), when, it.settings).status
    if outage == "refused":
        said = status.failed(it.resource, Reason.INTERNAL_ERROR, "is forbidden", when, final=False, planned=planned)
    elif outage == "invalid":
        said = status.failed(it.resource, Reason.CONFIG_ERROR, "is invalid", when, final=True, planned=planned)
    elif outage == "spec":
        broken: Built = it.resource.spec(transform=1, datasetRef=1, model=1, modelDeploymentRef=1)
        said = dict(it.planner(broken, it.observed(), when, it.settings).status)
    else:
        return
    it.resource = it.resource.holding(said)


def told(it: Simulation | World) -> dict[str, Any]:
    """The status without the times at which conditions changed."""
    conditions = [{**c, "lastTransitionTime": None} for c in it.status["conditions"]]
    return {**it.status, "conditions": conditions}


def played(make: Callable[[], World], act: Callable[[World, str, int], None], script: Any, outages: list[str]) -> None:
    whole, troubled = make(), make()
    left = iter(outages)
    for action, count in script:
        for w in (whole, troubled):
            act(w, action, count)
            w.run()
        hidden(troubled, next(left, ""))
        troubled.run()
        assert told(troubled) == told(whole)
        assert troubled.children == whole.children


def simulated(make: Callable[[], Simulation], acts: dict[str, Act], script: Any, outages: list[str]) -> None:
    whole, troubled = make(), make()
    left = iter(outages)
    for action, count in script:
        for it in (whole, troubled):
            acts[action](it, count)
            it.settle()
        hidden(troubled, next(left, ""))
        troubled.settle()
        assert told(troubled) == told(whole)
        assert troubled.children == whole.children


@settings(max_examples=100)
@given(scripts(DATASET_ACTS, 12), OUTAGES)
def test_a_dataset_says_again_how_it_stands(script: Any, outages: list[str]) -> None:
    simulated(dataset_simulation, DATASET_ACTS, script, outages)


@settings(max_examples=100)
@example([("run", 0), ("succeed", 0)], ["", "refused"])
@example([("run", 0), ("fail", 0)], ["", "refused"])
@example([("run", 0), ("fail in the world", 0)], ["", "refused"])
@given(scripts(TRAINING_ACTS, 12), OUTAGES)
def test_a_training_job_says_again_how_it_stands(script: Any, outages: list[str]) -> None:
    simulated(training_simulation, TRAINING_ACTS, script, outages)


@settings(max_examples=60)
@given(scripts(test_canary_properties.ACTIONS, 10), REFUSALS)
def test_an_endpoint_says_again_how_it_stands(script: Any, outages: list[str]) -> None:
    played(endpoints.world, test_canary_properties.act, script, outages)


@settings(max_examples=60)
@given(scripts(test_drift_properties.ACTIONS, 12), OUTAGES)
def test_a_monitor_says_again_how_it_stands(script: Any, outages: list[str]) -> None:
    played(monitored.world, test_drift_properties.act, script, outages)


def test_a_job_that_ended_under_a_release_that_did_not_keep_how_stays_as_it_is() -> None:
    it = training_simulation()
    it.settle()
    it.finish(TRAINED)
    it.settle()
    kept = [c for c in it.status["conditions"] if c["type"] != "Trained"]
    it.resource = it.resource.status(conditions=kept)
    before = it.status
    it.settle()
    assert it.status == before


@pytest.mark.parametrize("outage", ["refused", "invalid", "spec"])
def test_a_job_that_missed_its_objective_says_so_again(outage: str) -> None:
    it = training_simulation()
    it.resource = it.resource.spec(objective={"metric": "accuracy", "minimum": "0.95"})
    it.settle()
    it.finish(TRAINED)
    it.settle()
    ended = told(it)
    assert ended["phase"] == "Failed"
    hidden(it, outage)
    it.settle()
    assert told(it) == ended
