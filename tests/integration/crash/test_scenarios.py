"""The operator is stopped at writes of whole lives of the four kinds; all runs begin at once, each test awaits its own.

`--crash-points=all`, as in `make test-crash`, takes every write, before and after; else a fixed sample of them.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.cluster.controlplane import ControlPlane
from tests.integration.crash.harness import Harness, Verdict
from tests.integration.crash.scenario import Scenario
from tests.integration.crash.scenarios import SCENARIOS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.crash,
    pytest.mark.timeout(3600),  # each run has limits of its own
    pytest.mark.asyncio(loop_scope="module"),
]
Verdicts = dict[str, asyncio.Task[Verdict]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def verdicts(request: pytest.FixtureRequest) -> AsyncIterator[Verdicts]:
    everywhere = request.config.getoption("--crash-points") == "all"
    asked: list[Any] = [item for item in request.session.items if item.path == request.path]
    scenarios = [s for s in SCENARIOS if any(f"[{s.name}]" in item.name for item in asked)]
    with ControlPlane() as plane, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(plane.kubeconfig))
        harness = Harness(plane)
        await harness.prepare()
        plane.start_controllers()  # now: of kinds that come later the garbage collector hears after half a minute
        plane.start_scheduler()
        with harness.kubelet:
            async with harness.watching():
                runs = {s.name: asyncio.create_task(harness.examine(s, everywhere=everywhere)) for s in scenarios}
                yield runs
                for run in runs.values():
                    run.cancel()
                await asyncio.gather(*runs.values(), return_exceptions=True)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_an_operator_that_is_stopped_at_a_write_is_carried_on(scenario: Scenario, verdicts: Verdicts) -> None:
    verdict = await verdicts[scenario.name]
    print(f"{scenario.name}: {verdict}")
    assert not verdict.wrong, "\n\n".join(f"{point}:\n{what}" for point, what in verdict.wrong.items())
    assert verdict.points
