"""A worker counts each reconcile, and tells of it in one line whose level says whether somebody should care."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from modelyard.plan.plan import Key
from modelyard.runtime import logs, trace
from modelyard.runtime.errors import ApiError, ConflictError, ForbiddenError, UnavailableError
from modelyard.runtime.queue import Queue
from modelyard.runtime.reconcile import PlanningError, Reconciler
from modelyard.runtime.worker import Worker
from tests.unit.runtime.samples import sample

KEY = Key("TrainingJob", "ml", "churn")
Step = Callable[[], Awaitable[float | None]]


class Scripted:
    """Stands in for the Reconciler."""

    def __init__(self, step: Step) -> None:
        self.step = step

    async def reconcile(self, key: Key, failures: int) -> float | None:
        assert key == KEY
        return await self.step()


class Lines(logging.Handler):
    """Keeps the fields with which a line would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = logs.fields_of(record)
        self.lines.append({"level": record.levelname, "message": record.getMessage(), **fields})


@pytest.fixture
def lines() -> Any:
    handler, logger = Lines(), logging.getLogger("modelyard")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler.lines
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


class Signalling(Queue[Key]):
    """Says when a worker is done. Its clock stands still: a retry does not come, however slow the machine is."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 0.0)
        self.finished = asyncio.Event()

    def done(self, key: Key) -> None:
        super().done(key)
        self.finished.set()


async def work_on(step: Step, times: int = 1) -> None:
    """Reconciles the key so often, each time as if it had just been added."""
    queue = Signalling()
    worker = Worker(queue, cast(Reconciler, Scripted(step)))
    task = asyncio.create_task(worker.run(workers=1))
    for _ in range(times):
        queue.finished.clear()
        queue.add(KEY)
        await asyncio.wait_for(queue.finished.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def nothing() -> float | None:
    return None


async def two_writes() -> float | None:
    logging.getLogger("modelyard.somewhere").info("halfway")
    trace.wrote()
    await asyncio.gather(asyncio.create_task(_write()))
    return 60.0


async def _write() -> None:
    trace.wrote()


def failing(error: Exception) -> Step:
    async def step() -> float | None:
        raise error

    return step


async def test_a_reconcile_that_changes_nothing_is_a_debug_line(lines: list[dict[str, Any]]) -> None:
    await work_on(nothing)
    (line,) = lines
    assert (line["level"], line["result"], line["writes"]) == ("DEBUG", "success", 0)


async def test_a_reconcile_that_wrote_says_how_often_and_when_it_looks_again(lines: list[dict[str, Any]]) -> None:
    await work_on(two_writes)
    line = lines[-1]
    assert (line["level"], line["result"], line["writes"], line["again"]) == ("INFO", "requeue_after", 2, 60)


async def test_all_lines_of_a_reconcile_carry_its_id_and_its_resource(lines: list[dict[str, Any]]) -> None:
    await work_on(two_writes, times=2)
    assert [line["message"] for line in lines] == ["halfway", "reconciled"] * 2
    assert {(line["kind"], line["namespace"], line["name"]) for line in lines} == {("TrainingJob", "ml", "churn")}
    first, also_first, second, also_second = (line["reconcile_id"] for line in lines)
    assert first == also_first != second == also_second


async def test_lines_outside_of_a_reconcile_carry_no_resource(lines: list[dict[str, Any]]) -> None:
    await work_on(nothing)
    logging.getLogger("modelyard").info("elsewhere")
    assert lines[-1] == {"level": "INFO", "message": "elsewhere"}


@pytest.mark.parametrize(
    ("error", "level", "defect"),
    [
        (ConflictError(409, "Conflict", "changed"), "DEBUG", False),
        (ForbiddenError(403, "Forbidden", "because it is being terminated"), "DEBUG", False),
        (ForbiddenError(403, "Forbidden", "exceeded quota"), "WARNING", False),
        (UnavailableError(503, "ServiceUnavailable", "later"), "WARNING", False),
        (ApiError(418, "Teapot", "no"), "WARNING", False),
        (PlanningError("KeyError: 'spec'"), "ERROR", True),
        (KeyError("spec"), "ERROR", True),
    ],
)
async def test_a_failure_is_one_line_and_only_our_own_is_an_error(
    lines: list[dict[str, Any]], error: Exception, level: str, defect: bool
) -> None:
    panics = sample("controller_runtime_reconcile_panics_total", controller="TrainingJob")
    await work_on(failing(error))
    (line,) = lines
    assert (line["level"], line["result"], line["name"]) == (level, "error", "churn")
    assert str(error) in line["message"]
    assert sample("controller_runtime_reconcile_panics_total", controller="TrainingJob") - panics == defect


async def test_reconciles_are_counted_by_kind_and_result() -> None:
    def counted() -> list[float]:
        results = ("success", "requeue_after", "error")
        name, kind = "controller_runtime_reconcile", "TrainingJob"
        return [
            *(sample(f"{name}_total", controller=kind, result=result) for result in results),
            sample(f"{name}_errors_total", controller=kind),
            sample(f"{name}_time_seconds_count", controller=kind),
        ]

    before = counted()
    for step in (nothing, two_writes, failing(ConflictError(409, "Conflict", "changed"))):
        await work_on(step)
    assert [after - then for after, then in zip(counted(), before, strict=True)] == [1, 1, 1, 1, 3]


async def test_workers_are_shown_and_those_at_work() -> None:
    seen = []

    async def step() -> float | None:
        seen.append(sample("controller_runtime_active_workers", controller="TrainingJob"))
        seen.append(sample("controller_runtime_max_concurrent_reconciles", controller="TrainingJob"))
        return None

    await work_on(step)
    assert seen == [1, 1]
    assert sample("controller_runtime_active_workers", controller="TrainingJob") == 0
