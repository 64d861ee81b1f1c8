"""The process may die after any write of any plan, at any time of a resource's life: what follows is as if it had not.

And at rest a plan holds nothing that is not so already. For all four kinds.
"""

from collections.abc import Callable, Collection
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelyard.plan.plan import Plan
from tests.unit.plan import endpoints, monitored, test_canary_properties, test_drift_properties
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.test_planning_properties import (
    DATASET_ACTS,
    TRAINING_ACTS,
    Act,
    dataset_simulation,
    training_simulation,
)
from tests.unit.plan.world import World

LOSING = {"lose", "reconcile"}  # acts that are crashes themselves
CUTS = st.lists(st.integers(0, 12), max_size=24)


def scripts(acts: Collection[str], length: int) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(sorted(set(acts) - LOSING)), st.integers(0, 15)), max_size=length)


def nothing_left(plan: Plan, children: Any, related: Any, status: dict[str, Any]) -> None:
    assert (plan.status, plan.events, plan.delete) == (status, (), ())
    for child in plan.apply:
        key = child["kind"], child["metadata"]["name"]
        present = children.get(key) or related[key]
        assert (present.get("spec"), present.get("data")) == (child.get("spec"), child.get("data"))


def played(make: Callable[[], World], act: Callable[[World, str, int], None], script: Any, cuts: list[int]) -> None:
    whole, crashing = make(), make()
    crashing.cuts = iter(cuts)
    for action, count in script:
        for w in (whole, crashing):
            act(w, action, count)
            w.run()
        assert crashing.status == whole.status
        assert crashing.children == whole.children
        assert crashing.related == whole.related
        nothing_left(crashing.look(), crashing.children, crashing.related, crashing.status)


def simulated(make: Callable[[], Simulation], acts: dict[str, Act], script: Any, cuts: list[int]) -> None:
    whole, crashing = make(), make()
    left = iter(cuts)
    for action, count in script:
        for it in (whole, crashing):
            acts[action](it, count)
        for writes in (next(left, None), next(left, None)):
            if writes is not None:
                crashing.interrupted(writes)
        whole.settle()
        crashing.settle()
        assert crashing.status == whole.status
        assert crashing.children == whole.children
        nothing_left(crashing.plan(), crashing.children, {}, crashing.status)


@settings(max_examples=100, deadline=None)
@example([("ask", 0), ("change", 0)], [0, 0, 1, 1])
@given(scripts(DATASET_ACTS, 12), CUTS)
def test_a_dataset_is_carried_on_after_any_write(script: Any, cuts: list[int]) -> None:
    simulated(dataset_simulation, DATASET_ACTS, script, cuts)


@settings(max_examples=100, deadline=None)
@example([("hinder", 0), ("wait", 0), ("suspend", 1)], [0, 0, 0, 0, 1])
@given(scripts(TRAINING_ACTS, 12), CUTS)
def test_a_training_job_is_carried_on_after_any_write(script: Any, cuts: list[int]) -> None:
    simulated(training_simulation, TRAINING_ACTS, script, cuts)


@settings(max_examples=60, deadline=None)
@given(scripts(test_canary_properties.ACTIONS, 10), CUTS)
def test_an_endpoint_is_carried_on_after_any_write(script: Any, cuts: list[int]) -> None:
    played(endpoints.world, test_canary_properties.act, script, cuts)


@settings(max_examples=60, deadline=None)
@given(scripts(test_drift_properties.ACTIONS, 12), CUTS)
def test_a_monitor_is_carried_on_after_any_write(script: Any, cuts: list[int]) -> None:
    played(monitored.world, test_drift_properties.act, script, cuts)
