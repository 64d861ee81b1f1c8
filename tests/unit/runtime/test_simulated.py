"""Lost requests, hung watches and dead leaders in a world in memory: `make simulate` is thousands of the same."""

from typing import Any

import pytest

from modelyard.runtime.reconcile import Reconciler
from tests.simulated.loop import looped
from tests.simulated.world import lived


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_fails_all_is_in_the_end_as_if_nothing_had_failed(seed: int) -> None:
    assert await lived(seed, groups=1, acts=40) == []


@pytest.mark.parametrize("seed", range(8))
async def test_the_same_with_more_to_do_at_once(seed: int) -> None:
    assert await lived(seed, groups=4, acts=80) == []


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_fails_every_retraining_is_judged_once_and_its_model_is_what_the_verdict_says(seed: int) -> None:
    assert await looped(seed, groups=1, acts=60) == []


async def test_an_operator_that_never_looks_before_it_changes_something_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: Any) -> bool:
        return True

    monkeypatch.setattr(Reconciler, "_are_up_to_date", never)
    found = [line for seed in range(5) for line in await lived(seed, groups=3, acts=40)]
    assert any("build 1 of spec" in line for line in found)
    assert any("attempt 1 of run" in line for line in found)
