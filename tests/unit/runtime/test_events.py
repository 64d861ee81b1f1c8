"""Events are counted when they are told, not when they are only repeated."""

from collections.abc import Mapping
from typing import Any, cast

from modelyard.contract.reasons import Reason
from modelyard.plan.plan import Event
from modelyard.runtime.client import Client
from modelyard.runtime.errors import ConflictError
from modelyard.runtime.events import Recorder
from tests.unit.runtime.objects import training
from tests.unit.runtime.samples import sample

RETRY = Event("Normal", Reason.BACKING_OFF, "attempt 1 failed")


class Told:
    """Stands in for the client: takes an event of each name once, as the API server does."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    async def create_event(self, event: Mapping[str, Any]) -> None:
        if event["metadata"]["name"] in self.names:
            raise ConflictError(409, "AlreadyExists", "it exists")
        self.names.add(event["metadata"]["name"])


def counted() -> float:
    return sample("modelyard_events_total", kind="TrainingJob", type="Normal", reason="BackingOff")


async def test_a_transition_is_counted_once_by_kind_and_reason() -> None:
    server, before = Told(), counted()
    leader, successor = (Recorder(cast(Client, server), name, clock=lambda: 1000.0) for name in ("one", "two"))
    for recorder in (leader, leader, successor):
        await recorder.tell(training("t"), RETRY)
    assert counted() - before == 1
