"""What is seen of a revision's servers: how many are ready, which pods, and whether the last change is through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.contract.reasons import Reason
from modelyard.plan.failure import Failure
from modelyard.plan.labels import REVISION
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object
from modelyard.plan.startup import classify

ROLE_SERVER = "server"
PATIENCE = 3  # restarts, after which a server that keeps falling over is given up

# These end by themselves when the cluster's owner mends the cause.
_MENDABLE = frozenset({Reason.IMAGE_PULL, Reason.CONFIG_ERROR})
# These may pass: a server that ends once is started anew.
_REPEATING = frozenset({Reason.CRASH_LOOP, Reason.OOM_KILLED, Reason.USER_ERROR, Reason.INTERNAL_ERROR})


@dataclass(frozen=True)
class Trouble:
    """Why a revision's pods are not ready. `fatal`: they will not be by waiting."""

    reason: Reason
    message: str
    fatal: bool


@dataclass(frozen=True)
class Servers:
    """The pods of one revision. `settled`: all pods that are wanted run the present template."""

    ready: int = 0
    settled: bool = False
    pods: tuple[Object, ...] = ()

    @property
    def ready_pods(self) -> tuple[str, ...]:
        return tuple(sorted(p["metadata"]["name"] for p in self.pods if _is_ready(p)))

    @property
    def trouble(self) -> Trouble | None:
        """Of the pods that are not ready: what a started pod once said is over."""
        found = [
            Trouble(failure.reason, failure.message, _fatal(failure, pod))
            for pod in self.pods
            if not _is_ready(pod) and "deletionTimestamp" not in pod["metadata"] and (failure := classify(pod))
        ]
        return min(found, key=lambda t: (not t.fatal, t.reason, t.message), default=None)


def servers(observed: Observed, revision: str) -> Servers:
    pods = tuple(p for p in observed.of("Pod", ROLE_SERVER) if revision_label(p) == revision)
    deployment = next((d for d in observed.of("Deployment", ROLE_SERVER) if revision_label(d) == revision), None)
    if deployment is None:
        return Servers(pods=pods)
    status: Mapping[str, Any] = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    present = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    counts = [status.get(c, 0) for c in ("replicas", "updatedReplicas", "readyReplicas")]
    return Servers(status.get("readyReplicas", 0), present and all(c == wanted for c in counts), pods)


def revision_label(child: Object) -> str:
    return str(child["metadata"].get("labels", {}).get(REVISION, ""))


def _fatal(failure: Failure, pod: Object) -> bool:
    restarts = max((c.get("restartCount", 0) for c in pod["status"].get("containerStatuses", [])), default=0)
    if failure.reason in _REPEATING:
        return restarts >= PATIENCE
    return failure.blame == "user" and failure.reason not in _MENDABLE


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
