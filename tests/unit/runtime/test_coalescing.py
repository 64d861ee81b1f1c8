"""Which changes of a status wait, and for how long."""

from typing import Any

import pytest

from modelyard.plan.plan import Key
from modelyard.runtime.coalescing import MANY, WAIT, Coalescing

KEY = Key("TrainingJob", "ns", "t")
BEFORE = {"phase": "Starting", "attempt": 1, "conditions": [{"type": "Ready", "status": "False", "reason": "Starting"}]}
RUNS = {"phase": "Running", "conditions": [{"type": "Ready", "status": "False", "reason": "Training"}]}
DONE = {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded"}]}


class Bench:
    def __init__(self) -> None:
        self.now = 100.0
        self.coalescing = Coalescing(lambda: self.now)

    def wait(self, patch: dict[str, Any]) -> float:
        return self.coalescing.wait(KEY, BEFORE, patch)

    def much_is_written(self) -> None:
        for number in range(MANY):
            self.coalescing.wait(Key("TrainingJob", "ns", f"other-{number}"), {}, DONE)


def test_nothing_waits_while_little_is_written() -> None:
    bench = Bench()
    for _ in range(MANY + 5):
        bench.now += 0.1
        assert bench.wait(RUNS) == 0


def test_progress_waits_while_much_is_written_and_no_longer_than_that() -> None:
    bench = Bench()
    bench.much_is_written()
    assert bench.wait(RUNS) == WAIT
    bench.now += 1
    assert bench.wait(RUNS) == WAIT - 1
    bench.now += WAIT
    bench.much_is_written()
    assert bench.wait(RUNS) == 0


WRONG = {"conditions": [{"type": "Ready", "status": "False", "reason": "Unschedulable", "message": "no GPU"}]}


@pytest.mark.parametrize("patch", [DONE, WRONG, {**RUNS, "attempt": 2}, {**RUNS, "retryAt": "2026-03-01T12:00:00Z"}])
def test_results_faults_and_decisions_never_wait(patch: dict[str, Any]) -> None:
    bench = Bench()
    bench.much_is_written()
    assert bench.wait(patch) == 0


def test_a_change_that_is_taken_back_begins_anew() -> None:
    bench = Bench()
    bench.much_is_written()
    bench.wait(RUNS)
    bench.now += 1
    assert bench.wait({}) == 0
    bench.much_is_written()
    assert bench.wait(RUNS) == WAIT
