"""Children of revisions that neither serve nor roll out: drained first, then deleted.

They go when every serving pod is known to send them nothing; a pod that does not say so is waited for, not for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.serving import ModelDeploymentStatus
from modelyard.plan.failure import is_over
from modelyard.plan.fleet import ROLE_SERVER, revision_label, servers
from modelyard.plan.moments import is_ahead, moment, until
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object

DRAIN = timedelta(seconds=30)  # connections and name lookups of clients outlive a switch
PATIENCE = timedelta(minutes=5)
KINDS = ("Deployment", "Service", "ConfigMap", "PodDisruptionBudget")


@dataclass(frozen=True)
class Leftovers:
    """`pods` are the ready pods of revisions on their way out; `draining` says that there are such revisions."""

    delete: tuple[Object, ...] = ()
    pods: tuple[str, ...] = ()
    draining: bool = False
    wait: float | None = None


def leftovers(
    observed: Observed, status: ModelDeploymentStatus, wanted: Sequence[dict[str, Any]], now: datetime
) -> Leftovers:
    names = {(c["kind"], c["metadata"]["name"]) for c in wanted}
    unwanted = [
        c for kind in KINDS for c in observed.of(kind, ROLE_SERVER) if (kind, c["metadata"]["name"]) not in names
    ]
    live = {r.revision for r in (status.stable, status.candidate) if r}
    ended = [c for c in unwanted if revision_label(c) and revision_label(c) not in live]
    own = [c for c in unwanted if c not in ended and _over(observed, c)]
    revisions = {revision_label(c) for c in ended}
    if not revisions:
        return Leftovers(delete=tuple(own))
    pods = tuple(p for r in sorted(revisions) for p in servers(observed, r).ready_pods)
    since = _last_change(status)
    gone_at = since + (DRAIN if _released(observed, status, revisions) else PATIENCE)
    if is_ahead(gone_at, now, 2 * PATIENCE):  # the leader before may have had a clock that was ahead
        return Leftovers(tuple(own), pods, draining=True, wait=until(gone_at, now))
    return Leftovers((*own, *ended), pods, draining=True)


def _over(observed: Observed, child: Object) -> bool:
    """A task that a rolling update may still read stays until the update is through."""
    if not revision_label(child):
        return True
    seen = servers(observed, revision_label(child))
    running = (p for p in seen.pods if not is_over(p))
    return seen.settled and not any(_mounts(p, child) for p in running)


def _mounts(pod: Object, child: Object) -> bool:
    volumes = pod.get("spec", {}).get("volumes", [])
    return any(v.get("configMap", {}).get("name") == child["metadata"]["name"] for v in volumes)


def _last_change(status: ModelDeploymentStatus) -> datetime:
    times = [r.since for r in (status.stable, status.candidate) if r]
    times += [r.at for r in status.rolled_back]
    times += [status.withdrawn_at] if status.withdrawn_at else []
    return max(moment(t) for t in times)


def _released(observed: Observed, status: ModelDeploymentStatus, revisions: set[str]) -> bool:
    """Whether all serving pods said, since, that they split nothing off to these revisions."""
    if status.stable is None:
        return True
    readings = [observed.readings.get(name) for name in servers(observed, status.stable.revision).ready_pods]
    return all(r is not None and str(r.get("epoch", "")).split("/")[0] not in revisions for r in readings)
