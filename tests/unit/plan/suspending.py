"""Suspending and resuming a resource, and what a suspended one must look like."""

from modelyard.plan.plan import Object
from tests.unit.plan.builders import Built
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.world import World


def suspend(it: Simulation | World, wanted: bool = True) -> None:
    spec = {k: v for k, v in it.resource["spec"].items() if k != "suspend"}
    it.resource = Built({**it.resource, "spec": {**spec, "suspend": True} if wanted else spec})


def resume(it: Simulation | World) -> None:
    suspend(it, wanted=False)


def conditions(status: Object) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


def assert_suspended(status: Object) -> None:
    """As kstatus reads it, this is Current: nobody waits for it, nobody is alarmed."""
    found = conditions(status)
    assert status["phase"] == "Suspended"
    assert found["Suspended"] == ("True", "Suspended")
    assert found["Ready"] == ("True", "Suspended")
    assert (found["Reconciling"][0], found["Stalled"][0]) == ("False", "False")
