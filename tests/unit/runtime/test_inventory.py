"""What a scrape shows of the resources: how many there are of each sort, never which."""

from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from modelyard.runtime.cache import Cache
from modelyard.runtime.inventory import Inventory
from tests.unit.runtime.objects import dataset, pod, training


def status(phase: str, **conditions: tuple[str, str]) -> dict[str, Any]:
    listed = [{"type": type_, "status": holds, "reason": reason} for type_, (holds, reason) in conditions.items()]
    return {"phase": phase, "conditions": listed}


def shown(*objects: dict[str, Any], **watches: float) -> set[str]:
    cache = Cache()
    for obj in objects:
        cache.put(obj)
    inventory = Inventory()
    inventory.of(cache, lambda: watches)
    registry = CollectorRegistry()
    registry.register(inventory)
    return {line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")}


def test_resources_are_counted_by_phase_and_condition() -> None:
    ready = status("Ready", Ready=("True", "Ready"), Stalled=("False", "Ready"))
    stalled = status("Failed", Ready=("False", "BadData"), Stalled=("True", "BadData"))
    lines = shown(
        dataset("a", status=ready),
        dataset("b", status=ready),
        dataset("c", status=stalled),
        training("t", status=stalled),
        training("new"),
        pod("p", "a", phase="Running"),
    )
    assert {
        'modelyard_resources{kind="Dataset",phase="Ready"} 2.0',
        'modelyard_resources{kind="Dataset",phase="Failed"} 1.0',
        'modelyard_resources{kind="TrainingJob",phase="Failed"} 1.0',
        'modelyard_resources{kind="TrainingJob",phase="Pending"} 1.0',
        'modelyard_resource_conditions{condition="Ready",kind="Dataset",reason="Ready",status="True"} 2.0',
        'modelyard_resource_conditions{condition="Stalled",kind="Dataset",reason="BadData",status="True"} 1.0',
        'modelyard_resource_conditions{condition="Stalled",kind="TrainingJob",reason="BadData",status="True"} 1.0',
        'modelyard_cached_objects{kind="Dataset"} 3.0',
        'modelyard_cached_objects{kind="Pod"} 1.0',
    } <= lines


def test_ten_resources_give_the_series_of_one() -> None:
    ready = status("Ready", Ready=("True", "Ready"))
    one, ten = shown(dataset("d", status=ready)), shown(*(dataset(f"d{n}", status=ready) for n in range(10)))
    assert {line.rsplit(" ", 1)[0] for line in one} == {line.rsplit(" ", 1)[0] for line in ten}


def test_watches_are_shown_by_kind() -> None:
    assert shown(Dataset=12.0) == {'modelyard_watch_last_start_timestamp_seconds{kind="Dataset"} 12.0'}
