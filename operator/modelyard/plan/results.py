"""How one attempt went: from its Job and the Job's pod to a state, a result or a failure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from modelyard.contract.reasons import Reason
from modelyard.contract.results import AnyResult, FailureResult, parse_result
from modelyard.plan import inquiry, refusal
from modelyard.plan.failure import Failure, condition_of, ended, is_over, of_job, user, world
from modelyard.plan.inquiry import Inquiry
from modelyard.plan.labels import JOB_NAME, JOB_UID
from modelyard.plan.moments import later
from modelyard.plan.observe import Observed, Told
from modelyard.plan.plan import Object
from modelyard.plan.settings import Settings
from modelyard.plan.startup import hindered, slow

POD_EXPECTED = 30  # seconds after which a Job without a pod is not just slow


@dataclass(frozen=True)
class Attempt:
    """`result` comes with Succeeded; `failure` with Failed, and with Pending where the pod cannot start. `inquiry` is
    what more is wanted to know until it has ended."""

    state: Literal["Absent", "Pending", "Running", "Succeeded", "Failed"]
    result: AnyResult | None = None
    failure: Failure | None = None
    pod: str | None = None  # Running: the one to poll
    ended_at: str | None = None  # RFC 3339
    inquiry: Inquiry = field(default_factory=Inquiry)

    @property
    def poll(self) -> tuple[str, ...]:
        """The pods to ask for progress."""
        return (self.pod,) if self.pod and self.state == "Running" else ()


def pods_of(observed: Observed, job: Object) -> list[Object]:
    """The Job's pods, oldest first; not those of an earlier Job of the same name."""
    name, uid = job["metadata"]["name"], job["metadata"].get("uid")
    pods = [
        p
        for p in observed.of("Pod")
        if p["metadata"]["labels"].get(JOB_NAME) == name and p["metadata"]["labels"].get(JOB_UID, uid) == uid
    ]
    return sorted(pods, key=lambda p: (str(p["metadata"].get("creationTimestamp", "")), p["metadata"]["name"]))


def read_attempt(observed: Observed, job: Object | None, now: datetime, settings: Settings) -> Attempt:
    """The state of the attempt that a Job is. A result counts, whatever else is said about the Job."""
    if job is None:
        return Attempt("Absent")
    pods = pods_of(observed, job)
    for pod in pods:
        result = _result(pod)
        if result is not None:
            return Attempt("Succeeded", result, pod=pod["metadata"]["name"], ended_at=_ended_at(pod, job))
    if _untold(observed, job, pods):
        return Attempt("Running", inquiry=Inquiry((job,), inquiry.LOOK_AGAIN))
    told = observed.told_of(pods[-1] if pods else job)
    return _read_pod(job, pods[-1], told, now, settings) if pods else _without_pod(job, told, now)


def _untold(observed: Observed, job: Object, pods: Sequence[Object]) -> bool:
    """Whether the Job has ended by what is known of it, and its pod has not: they are watched apart, and the pod's
    watch may be behind. Then pods are read once more before anything follows from what is not there."""
    over = any(is_over(pod) for pod in pods)
    return job_ended_at(job) is not None and not over and job["metadata"].get("uid") not in observed.pods_read


def _read_pod(job: Object, pod: Object, told: Sequence[Told], now: datetime, settings: Settings) -> Attempt:
    name, phase = pod["metadata"]["name"], pod.get("status", {}).get("phase")
    failure = ended(pod, told)
    if phase == "Succeeded":
        failure = _silent()
    elif phase == "Failed" and failure is None:
        failure = world(Reason.INTERNAL_ERROR, f"pod {name} failed and does not say why")
    if failure and failure.ended:
        return Attempt("Failed", failure=failure, pod=name, ended_at=_ended_at(pod, job))
    if of_job(job) and phase != "Running":
        return Attempt("Failed", failure=of_job(job), pod=name, ended_at=_ended_at(pod, job))
    asked = inquiry.of_pods([pod], now)
    if phase == "Running":
        return Attempt("Running", failure=failure, pod=name, inquiry=asked)
    failure = failure or hindered(pod, told) or slow(pod, now, settings.pending_seconds)
    return Attempt("Pending", failure=failure, pod=name, inquiry=asked)


def _without_pod(job: Object, told: Sequence[Told], now: datetime) -> Attempt:
    at = job_ended_at(job)
    if failure := of_job(job):
        return Attempt("Failed", failure=failure, ended_at=at)
    if at:
        gone = world(Reason.EVICTED, "the pod was removed before its result was read")
        return Attempt("Failed", failure=gone, ended_at=at)
    return Attempt("Pending", failure=refusal.of_events(told) or _no_pod(job, now), inquiry=inquiry.of_job(job, now))


def _no_pod(job: Object, now: datetime) -> Failure | None:
    """Events are kept for an hour only, and may not be told at all."""
    created = job["metadata"].get("creationTimestamp")
    if not created or now < later(created, POD_EXPECTED):
        return None
    name = job["metadata"]["name"]
    text = f"no pod could be created, most likely for a ResourceQuota: kubectl describe job {name} says which"
    return world(Reason.QUOTA_EXCEEDED, text, ended=False)


def _silent() -> Failure:
    text = "the pod ended without a result: its image must build on modelyard's own and keep its entry point"
    return user(Reason.USER_ERROR, text)


def _terminated(pod: Object) -> list[dict[str, Any]]:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return [s["state"]["terminated"] for s in statuses if "terminated" in s.get("state", {})]


def _result(pod: Object) -> AnyResult | None:
    """Of a container that ended well."""
    told = (parse_result(t.get("message") or "") for t in _terminated(pod) if t.get("exitCode") == 0)
    return next((r for r in told if r is not None and not isinstance(r, FailureResult)), None)


def _ended_at(pod: Object, job: Object) -> str | None:
    times = [str(t["finishedAt"]) for t in _terminated(pod) if t.get("finishedAt")]
    return max(times, default=None) or _lost_at(pod) or job_ended_at(job)


def _lost_at(pod: Object) -> str | None:
    """A node that does not answer never says when the pod ended, and the Job waits for its word."""
    return (condition_of(pod, "DisruptionTarget", "True") or {}).get("lastTransitionTime")


def job_ended_at(job: Object) -> str | None:
    """RFC 3339, by the Job's conditions."""
    finished = [
        str(c["lastTransitionTime"])
        for c in job.get("status", {}).get("conditions", [])
        if c["type"] in ("Complete", "Failed", "FailureTarget") and c["status"] == "True"
    ]
    return max(finished, default=None)
