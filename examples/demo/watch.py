"""Waiting for what the cluster says about one of our resources, and showing it meanwhile."""

import time
from collections.abc import Callable
from typing import Any

from examples.demo.timeline import Step
from tests.product.product import Product, ProductError

Resource = dict[str, Any]


class StoryError(RuntimeError):
    """The story did not go on; the message is what the cluster says."""


def condition(resource: Resource, type_: str) -> dict[str, Any]:
    conditions = resource.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == type_), {})


def summary(resource: Resource) -> str:
    status = resource.get("status", {})
    words = status.get("progress") or condition(resource, "Ready").get("message", "")
    return f"{status.get('phase', 'Pending')}: {words}" if words else str(status.get("phase", "Pending"))


def wait_for(
    product: Product,
    step: Step,
    reference: str,
    done: Callable[[Resource], Any],
    *,
    namespace: str,
    timeout: float,
    may_stall: bool = False,
) -> Resource:
    """The resource once `done` holds. Raises StoryError when it is stalled, or after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    shown = "nothing yet"
    while time.monotonic() < deadline:
        try:
            resource = product.get(reference, "--namespace", namespace)
        except ProductError as error:
            shown = str(error).splitlines()[-1]
        else:
            if done(resource):
                return resource
            shown = summary(resource)
            stalled = condition(resource, "Stalled")
            if stalled.get("status") == "True" and not may_stall:
                raise StoryError(f"{reference} is stalled: {stalled.get('reason')}: {stalled.get('message')}")
        step.update(f"{reference} says {shown}"[:160])
        time.sleep(1)
    raise StoryError(f"{reference} did not get there in {timeout:.0f} s; it says {shown}")
