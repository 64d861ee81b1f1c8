"""Kinds are watched apart: a resource may be known before a change of another that was made before it."""

import asyncio

import pytest

from modelyard.plan.training import plan_training
from modelyard.runtime.resources import resource_of
from tests.cluster.fault_proxy.effects import Silence
from tests.cluster.fault_proxy.rules import Rule
from tests.cluster.fault_proxy.server import FaultProxy
from tests.integration.runtime.cluster import User, operating
from tests.integration.runtime.planners import PLANNERS
from tests.unit.plan.builders import training_job

pytestmark = [pytest.mark.integration, pytest.mark.timeout(90)]


async def test_a_run_does_not_begin_on_data_that_was_changed_before_it(
    user: User, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Dataset's new spec can never be built; nothing is told of it."""
    monkeypatch.setitem(PLANNERS, "TrainingJob", plan_training)
    await user.dataset("one", "version")
    proxy.script(Rule(Silence(), path="/datasets$", watch=True))
    async with operating(user):
        await user.ready("one")
        await user.dataset("one", "version refused")
        body = {**training_job("job", "one"), "metadata": {"name": "job", "namespace": user.namespace}}
        await user.call("post", resource_of("TrainingJob").path(user.namespace), body=body)
        found = await user.until("TrainingJob", "job", lambda j: j.get("status"))
        assert {c["reason"] for c in found["status"]["conditions"] if c["type"] == "Ready"} == {"WaitingForDataset"}
        await asyncio.sleep(1)
        assert (await user.get("TrainingJob", "job") or {})["status"]["phase"] == "Pending"
