"""The port of kstatus says what the original says (its tests status_compute_test.go and generic.go)."""

from typing import Any

import pytest

from tests.unit.plan.kstatus import compute


def resource(seen: int | None = 1, deleted: bool = False, **conditions: str) -> dict[str, Any]:
    listed = [{"type": type_, "status": status} for type_, status in conditions.items()]
    status = {"conditions": listed, **({} if seen is None else {"observedGeneration": seen})}
    return {"metadata": {"generation": 1, **({"deletionTimestamp": "now"} if deleted else {})}, "status": status}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (resource(), "Current"),
        (resource(None), "Current"),
        (resource(Ready="True"), "Current"),
        (resource(Ready="False"), "InProgress"),
        (resource(Ready="Unknown"), "InProgress"),
        (resource(Ready="True", Reconciling="True"), "InProgress"),
        (resource(Ready="True", Stalled="True"), "Failed"),
        (resource(Stalled="True", Reconciling="True"), "Failed"),
        (resource(Reconciling="True", Stalled="True"), "InProgress"),
        (resource(Reconciling="False", Stalled="False", Ready="True"), "Current"),
        (resource(0, Ready="True"), "InProgress"),
        (resource(0, Stalled="True"), "InProgress"),
        (resource(0, deleted=True, Ready="True"), "Terminating"),
        ({"metadata": {}}, "Current"),
    ],
)
def test_the_port_follows_the_rules_in_their_order(obj: dict[str, Any], expected: str) -> None:
    assert compute(obj) == expected
