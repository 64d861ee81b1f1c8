"""Conditions in the shape kstatus and `kubectl wait` understand, kept stable while nothing changes."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from modelyard.api.fields import Schema
from modelyard.contract.limits import Count, Time
from modelyard.contract.reasons import Reason
from modelyard.contract.wording import LIMIT, plain, told


class Condition(Schema):
    """One observation about the object, in the standard form of metav1.Condition."""

    type: str = Field(max_length=64, description="What is observed, e.g. Ready.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(max_length=64, description="Why, one word of the closed list of reasons.")
    message: str = Field(default="", max_length=LIMIT, description="Why, in words, with the next step.")
    last_transition_time: Time = Field(description="When the status last changed.")
    observed_generation: Count = Field(default=0, description="The generation it was observed at.")


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, as Kubernetes writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class ConditionSet:
    """Collects the conditions of one reconcile over the previous ones.

    A condition whose status is unchanged keeps its lastTransitionTime; conditions not set again are kept. Messages
    are of bounded length and without secrets; those of faults, and of what needs a person, link to a page.
    """

    def __init__(self, previous: Iterable[Mapping[str, Any]], generation: int, now: datetime) -> None:
        self._by_type: dict[str, dict[str, Any]] = {
            c["type"]: {**c, "message": plain(c["message"])} if len(c.get("message", "")) > LIMIT else dict(c)
            for c in previous
        }
        self._before = dict(self._by_type)
        self._generation = generation
        self._now = now

    def set(
        self,
        type_: str,
        holds: bool | None,
        reason: Reason,
        message: str = "",
        *,
        about: Reason | None = None,
        link: bool = False,
    ) -> None:
        """`about` is the fault that the message is about, where the reason is another; `link` wants the page named."""
        status = "Unknown" if holds is None else "True" if holds else "False"
        old = self._before.get(type_)  # what is said in between, within one reconcile, nobody sees
        since = old["lastTransitionTime"] if old and old["status"] == status else timestamp(self._now)
        self._by_type[type_] = {
            "type": type_,
            "status": status,
            "reason": str(reason),
            "message": told(reason, message, about, link=link),
            "lastTransitionTime": since,
            "observedGeneration": self._generation,
        }

    def ready(self, reason: Reason, message: str = "") -> None:
        """Done: what was asked for is so."""
        self.set("Ready", True, reason, message)
        self.set("Reconciling", False, reason)
        self.set("Stalled", False, reason)

    def progressing(
        self, reason: Reason, message: str = "", *, ready: bool = False, about: Reason | None = None
    ) -> None:
        """On the way; `ready` says that what was there before still serves."""
        self.set("Ready", ready, reason, message, about=about)
        self.set("Reconciling", True, reason, message, about=about)
        self.set("Stalled", False, reason)

    def stalled(self, reason: Reason, message: str, *, ready: bool = False) -> None:
        """Will not go on without a person; `ready` says that what was there before still serves."""
        self.set("Ready", ready, reason, message, link=True)
        self.set("Reconciling", False, reason)
        self.set("Stalled", True, reason, message, link=True)

    def remove(self, type_: str) -> None:
        self._by_type.pop(type_, None)

    def get(self, type_: str) -> Mapping[str, Any] | None:
        return self._by_type.get(type_)

    def status_of(self, type_: str) -> str | None:
        condition = self._by_type.get(type_)
        return condition["status"] if condition else None

    def dump(self) -> list[dict[str, Any]]:
        return sorted(self._by_type.values(), key=lambda c: str(c["type"]))
