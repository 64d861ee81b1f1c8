"""What a planner answers: children to apply and delete, the status to hold, events, and when to look again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from modelyard.contract.progress import Routing
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import told

Object = Mapping[str, Any]  # a Kubernetes object as plain JSON types; never mutated


@dataclass(frozen=True)
class Event:
    """What is told of a transition. The message is bounded, without secrets, and a fault's links to its page."""

    type: Literal["Normal", "Warning"]
    reason: Reason
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", told(self.reason, self.message))


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
    for progress or statistics until a later plan no longer names them; `inspect` are observed children that do not
    say themselves why they do not start: the events about them are fetched until a later plan no longer names them.
    `relies_on` names other resources of ours that are asked for before anything is done: this cannot be taken back, and
    their kinds are watched apart.
    """

    status: dict[str, Any]
    apply: tuple[dict[str, Any], ...] = ()
    delete: tuple[Object, ...] = ()
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    routing: Mapping[str, Routing] = field(default_factory=dict)
    poll: tuple[str, ...] = ()
    inspect: tuple[Object, ...] = ()
    relies_on: tuple[Key, ...] = ()
