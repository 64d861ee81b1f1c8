"""What is seen of a revision's servers: how many are ready, which pods, and whether the last change is through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.plan import inquiry, refusal
from modelyard.plan.failure import Failure, container_statuses, is_over
from modelyard.plan.inquiry import Inquiry
from modelyard.plan.labels import REVISION
from modelyard.plan.observe import Observed, Told, has_seen_its_spec
from modelyard.plan.plan import Object
from modelyard.plan.pods import SIDECAR
from modelyard.plan.settings import Settings
from modelyard.plan.startup import classify, slow

ROLE_SERVER = "server"
PATIENCE = 3  # restarts, after which a server that keeps falling over is given up

# These end by themselves when the cluster's owner mends the cause.
_MENDABLE = frozenset({Reason.IMAGE_PULL, Reason.CONFIG_ERROR})
# These may pass: a server that ends once is started anew.
_REPEATING = frozenset(
    {Reason.CRASH_LOOP, Reason.OOM_KILLED, Reason.USER_ERROR, Reason.SERVING_PARITY, Reason.INTERNAL_ERROR}
)


@dataclass(frozen=True)
class Trouble:
    """Why a revision's pods are not ready. `fatal`: they will not be by waiting. `users`: the user can mend it."""

    reason: Reason
    message: str
    fatal: bool
    users: bool = False


@dataclass(frozen=True)
class Servers:
    """The pods of one revision. `settled`: all pods that are wanted run the present template."""

    ready: int = 0
    settled: bool = False
    pods: tuple[Object, ...] = ()
    deployment: Object | None = None
    told: Mapping[str, tuple[Told, ...]] = field(default_factory=dict)  # as in Observed

    @property
    def ready_pods(self) -> tuple[str, ...]:
        return tuple(sorted(p["metadata"]["name"] for p in self.pods if _is_ready(p)))

    @property
    def unready(self) -> tuple[Object, ...]:
        wanted = self.deployment["spec"].get("replicas", 1) if self.deployment else 1
        enough = self.ready >= wanted > 0
        return tuple(
            p
            for p in self.pods
            if not _is_ready(p) and "deletionTimestamp" not in p["metadata"] and not (enough and is_over(p))
        )

    def trouble(self, now: datetime, settings: Settings) -> Trouble | None:
        """Of the pods that are not ready, or not there: what a started pod once said is over."""
        refused = refusal.of_deployment(self.deployment) if self.deployment else None
        found = [_trouble(refused, fatal=False)] if refused else []
        for pod in self.unready:
            told = self.told.get(pod["metadata"].get("uid", ""), ())
            failure = classify(pod, told) or slow(pod, now, settings.pending_seconds)
            found += [_trouble(failure, fatal=not is_over(pod) and _fatal(failure, pod))] if failure else []
        return min(found, key=lambda t: (not t.fatal, t.reason, t.message), default=None)

    @property
    def silent(self) -> str:
        """What a start waits for, besides: the user's container, until it answers. Empty where that is not it."""
        for pod in self.unready:
            own = next((c for c in container_statuses(pod) if c.get("name") == SIDECAR), {})
            if "running" in own.get("state", {}) and not own.get("started"):
                name = pod["metadata"]["name"]
                return f": your container does not answer /ping yet; kubectl logs {name} -c {SIDECAR} has more"
        return ""

    def inquiry(self, now: datetime) -> Inquiry:
        return inquiry.of_pods(self.unready, now)


def servers(observed: Observed, revision: str) -> Servers:
    pods = tuple(p for p in observed.of("Pod", ROLE_SERVER) if revision_label(p) == revision)
    deployment = next((d for d in observed.of("Deployment", ROLE_SERVER) if revision_label(d) == revision), None)
    if deployment is None:
        return Servers(pods=pods, told=observed.told)
    status: Mapping[str, Any] = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    counts = [status.get(c, 0) for c in ("replicas", "updatedReplicas", "readyReplicas")]
    settled = has_seen_its_spec(deployment) and all(c == wanted for c in counts)
    return Servers(status.get("readyReplicas", 0), settled, pods, deployment, observed.told)


def revision_label(child: Object) -> str:
    return str(child["metadata"].get("labels", {}).get(REVISION, ""))


def _trouble(failure: Failure, *, fatal: bool) -> Trouble:
    return Trouble(failure.reason, failure.message, fatal, failure.blame == "user")


def _fatal(failure: Failure, pod: Object) -> bool:
    """A try that is under way is not counted yet."""
    restarts = max(
        (c.get("restartCount", 0) - ("running" in c.get("state", {})) for c in container_statuses(pod)), default=0
    )
    if failure.reason in _REPEATING:
        return restarts >= PATIENCE
    return failure.blame == "user" and failure.reason not in _MENDABLE


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
