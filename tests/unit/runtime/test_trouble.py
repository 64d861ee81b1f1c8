"""When a restart would help: what the liveness probe asks."""

from datetime import timedelta
from typing import Any, cast

import pytest

from modelyard.plan.plan import Key
from modelyard.runtime.app import STUCK, Operator
from modelyard.runtime.client import Client
from modelyard.runtime.config import parse
from modelyard.runtime.resources import WATCHED
from modelyard.runtime.watches import SILENT

KEY = Key("Dataset", "ns", "d")


class NoClient:
    """Stands in for a connection: nothing is asked here."""

    may_write: Any = None


@pytest.fixture
async def operator() -> Operator:
    """One that leads, with nothing to do."""
    made = Operator(cast(Client, NoClient()), parse({}, "the defaults"), {}, elect=False)
    made._leads = True
    return made


async def test_at_rest_all_is_well_however_long_it_lasts(operator: Operator) -> None:
    operator._worker.finished -= timedelta(days=2)
    assert operator.trouble() == ""


@pytest.mark.parametrize(("idle", "stuck"), [(STUCK - timedelta(seconds=5), False), (STUCK * 1.1, True)])
async def test_work_that_waits_while_nothing_is_finished_is_trouble(
    operator: Operator, idle: timedelta, stuck: bool
) -> None:
    operator._queue.add(KEY)
    operator._worker.finished -= idle
    assert operator.trouble() == ("1 resources wait and none was reconciled for 0:05:00" if stuck else "")


async def test_a_standby_may_let_work_wait(operator: Operator) -> None:
    operator._leads = False
    operator._queue.add(KEY)
    operator._worker.finished -= timedelta(days=2)
    assert operator.trouble() == ""


async def test_a_dead_watch_is_trouble_for_a_standby_too(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    operator._leads = False
    now = 1000.0
    watches = operator.watches
    monkeypatch.setattr(watches, "_clock", lambda: now)
    for resource in WATCHED:
        watches.expect((resource, None))
    assert operator.trouble() == ""
    now += SILENT + 1
    for resource in WATCHED:
        if resource.kind != "Pod":
            watches.begun((resource, None), 200)
    assert operator.trouble() == "nothing is heard of Pod"
