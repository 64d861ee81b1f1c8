"""Which children do not say themselves why they do not start, so that the events about them are to be fetched.

Events are not watched: there are many, and few matter. ADR 20 says more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelyard.plan.failure import KILLED, OVER, condition_of, container_statuses
from modelyard.plan.moments import later, until
from modelyard.plan.plan import Object
from modelyard.plan.startup import NO_CAUSE

SOON = 10.0  # seconds that a start may take before more is asked
LOOK_AGAIN = 30.0  # seconds, while something does not start: some causes show only by the time that passes


@dataclass(frozen=True)
class Inquiry:
    """`about` are children to ask about now; `wait` the seconds until there may be more of them."""

    about: tuple[Object, ...] = ()
    wait: float | None = None

    def __add__(self, other: "Inquiry") -> "Inquiry":
        waits = [wait for wait in (self.wait, other.wait) if wait is not None]
        return Inquiry((*self.about, *other.about), min(waits, default=None))


def of_pods(pods: Iterable[Object], now: datetime) -> Inquiry:
    return sum((_of_pod(pod, now) for pod in pods), Inquiry())


def of_job(job: Object, now: datetime) -> Inquiry:
    """Of a Job without a pod. One that the controller has not begun with is just waiting in its queue.

    That it has begun wakes nobody, so a new one is looked at once more, when it should have.
    """
    if begun := job.get("status", {}).get("startTime"):
        return _after(job, begun, now)
    created = job["metadata"].get("creationTimestamp")
    due = later(created, SOON + 1) if created else now
    return Inquiry(wait=until(due, now) if now < due else LOOK_AGAIN)


def _of_pod(pod: Object, now: datetime) -> Inquiry:
    phase = pod.get("status", {}).get("phase")
    if phase in OVER or "deletionTimestamp" in pod["metadata"]:
        return Inquiry()
    if condition_of(pod, "DisruptionTarget", "True") or any(_unsaid(c) for c in container_statuses(pod)):
        return Inquiry((pod,), LOOK_AGAIN)
    if phase != "Pending":
        return Inquiry()
    scheduled = condition_of(pod, "PodScheduled", "True")
    waits = [c.get("state", {}).get("waiting", {}).get("reason") for c in container_statuses(pod)]
    if scheduled is None or any(w not in (None, "ContainerCreating", "PodInitializing") for w in waits):
        return Inquiry(wait=LOOK_AGAIN)
    return _after(pod, scheduled.get("lastTransitionTime"), now)


def _unsaid(container: Mapping[str, Any]) -> bool:
    """Kubelet's words for these are in events only: why an image was not pulled, or a server was killed."""
    state = container.get("state", {})
    waiting = state.get("waiting", {})
    if waiting.get("reason") == "ImagePullBackOff" and NO_CAUSE.fullmatch(waiting.get("message") or ""):
        return True
    ends = [s["terminated"] for s in (state, container.get("lastState", {})) if "terminated" in s]
    killed = {*KILLED, 0} if container.get("restartCount") else KILLED  # 0 is how other init containers end, too
    return any(e.get("exitCode") in killed and e.get("reason") != "OOMKilled" for e in ends[:1])


def _after(child: Object, begun: str | None, now: datetime) -> Inquiry:
    asked_at = later(begun, SOON) if begun else now
    return Inquiry((child,), LOOK_AGAIN) if asked_at <= now else Inquiry(wait=min(LOOK_AGAIN, until(asked_at, now)))
