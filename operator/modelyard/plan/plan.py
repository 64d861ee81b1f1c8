"""What a planner answers: children to apply and delete, the status to hold, events, and when to look again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from modelyard.contract.progress import Routing
from modelyard.contract.reasons import Reason

Object = Mapping[str, Any]  # a Kubernetes object as plain JSON types; never mutated


@dataclass(frozen=True)
class Event:
    type: Literal["Normal", "Warning"]
    reason: Reason
    message: str


@dataclass(frozen=True)
class Key:
    """One of our resources."""

    kind: str
    namespace: str
    name: str


def key_of(obj: Object) -> Key:
    """The key of one of our resources, or of any other object."""
    metadata = obj["metadata"]
    return Key(obj["kind"], metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True)
class Plan:
    """Everything one reconcile does. `status` is the whole status; equal to the present one, nothing is written.

    `apply` are complete children for server-side apply; `delete` are observed children (their uid is the
    precondition); `routing` is told to the management port of the named pods; `poll` names pods that are asked
    for progress or statistics until a later plan no longer names them.
    """

    status: dict[str, Any]
    apply: tuple[dict[str, Any], ...] = ()
    delete: tuple[Object, ...] = ()
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    routing: Mapping[str, Routing] = field(default_factory=dict)
    poll: tuple[str, ...] = ()
