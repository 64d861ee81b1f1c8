"""kstatus in Python: how kubectl, Flux and Helm read a custom resource (cli-utils v0.37.2, pkg/kstatus/status).

`checkGenericProperties` and, for kinds it does not know, `checkReadyCondition`.
"""

from collections.abc import Mapping
from typing import Any, Literal

Status = Literal["Current", "InProgress", "Failed", "Terminating"]


def compute(obj: Mapping[str, Any]) -> Status:
    metadata, status = obj["metadata"], obj.get("status", {})
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    generation, seen = metadata.get("generation"), status.get("observedGeneration")
    if generation is not None and seen is not None and generation != seen:
        return "InProgress"
    conditions = status.get("conditions", [])
    for condition in conditions:
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return "InProgress"
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return "Failed"
    for condition in conditions:
        if condition["type"] == "Ready":
            return "Current" if condition["status"] == "True" else "InProgress"
    return "Current"
