"""The state of all objects in a form that two runs can be compared by, and children that should not be. Pure.

Left out is only what must differ: uids, times and versions of objects; names and hashes made of a uid; counters of what
has happened before (build numbers, the previous revision, how many finished checks are kept, whether the serving model
was the first one or was promoted over another); words that repeat these.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from modelyard.plan.harvest import KEPT
from modelyard.plan.labels import PAUSED, ROLE, RUN, owner_of
from modelyard.plan.plan import Key, key_of
from tests.soak.wishes import Place

Object = Mapping[str, Any]
_CHECKS = "Job check"
_FIRST_OR_NOT = {("RolloutHealthy", "Promoted"): "UpToDate"}  # status and phase are compared all the same
_REVISION = ("modelDigest", "trainingJob", "datasetDigest", "profileDigest")
_KEPT: Mapping[str, Mapping[str, tuple[str, ...] | None]] = {  # None: whole
    "Dataset": {"phase": None, "current": ("digest", "version", "rows", "logicalDigest", "profileDigest", "splits"),
                "candidate": None},
    "TrainingJob": {"phase": None, "attempt": None, "datasetDigest": None, "metrics": None, "score": None,
                    "model": ("digest", "format", "bytes", "profileDigest")},
    "ModelDeployment": {"phase": None, "readyReplicas": None, "stable": _REVISION, "candidate": None, "rollout": None,
                        "rolledBack": None, "proposed": None},
    "DriftMonitor": {"phase": None, "championDigest": None, "run": None, "findingsInARow": None, "retrain": None,
                     "lastCheck": ("verdict", "rows", "modelDigest", "columns")},
}  # fmt: skip


def state(objects: Iterable[Object], children: Iterable[Object]) -> dict[str, Any]:
    """By `<kind> <name>`: what the status says, how the spec is, and how many children of each kind and role."""
    by_owner: dict[Key, list[Object]] = {}
    for child in children:
        if owner := owner_of(child):
            by_owner.setdefault(owner, []).append(child)
    return {
        f"{obj['kind']} {obj['metadata']['name']}": {**_own(obj), "children": _children(by_owner.get(key_of(obj), []))}
        for obj in objects
    }


def _own(obj: Object) -> dict[str, Any]:
    status, metadata = obj.get("status", {}), obj["metadata"]
    kept: dict[str, Any] = {}
    for name, parts in _KEPT[obj["kind"]].items():
        value = status.get(name)
        kept[name] = {part: value.get(part) for part in parts} if parts and isinstance(value, Mapping) else value
    return {
        "spec": obj["spec"],
        "annotations": {name: metadata.get("annotations", {}).get(name) for name in (RUN, PAUSED)},
        "current": status.get("observedGeneration") == metadata["generation"],
        "conditions": {c["type"]: [c["status"], _reason(c)] for c in status.get("conditions", [])},
        "status": kept,
    }


def _reason(condition: Mapping[str, str]) -> str:
    return _FIRST_OR_NOT.get((condition["type"], condition["reason"]), condition["reason"])


def _children(children: Iterable[Object]) -> dict[str, int]:
    """Pods come and go with what makes them. Of finished checks a few are kept: that there are some, not too many."""
    kinds = [f"{c['kind']} {c['metadata']['labels'].get(ROLE, '')}" for c in children if c["kind"] != "Pod"]
    replicas = [f"replicas {c['spec']['replicas']}" for c in children if c["kind"] == "Deployment"]
    counts = Counter([*kinds, *replicas])
    if 0 < counts[_CHECKS] <= KEPT:
        counts[_CHECKS] = 1
    return dict(sorted(counts.items()))


def settled(objects: Iterable[Object], wanted: Iterable[Place]) -> list[str]:
    """What still keeps the wanted objects from being at rest, in words; empty when nothing does."""
    found = {Place(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}
    jobs = {place.name: obj for place, obj in found.items() if place.kind == "TrainingJob"}
    return [f"{place.kind} {place.name}: {why}" for place in wanted if (why := _restless(found.get(place), jobs))]


def outdated(objects: Iterable[Object]) -> list[Place]:
    """The monitors whose last check is of another model than serves, or of another spec, which has other rows.

    A leader that had not heard of the model checks the one before it, and of checks that end in one second one counts.
    """
    found = {Place(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}
    late = []
    for place, monitor in found.items():
        if place.kind == "DriftMonitor":
            serving = found.get(Place("ModelDeployment", monitor["spec"]["modelDeploymentRef"]["name"]), {})
            stable = serving.get("status", {}).get("stable") or {}
            last = monitor.get("status", {}).get("lastCheck") or {}
            rows = monitor["spec"]["window"]["rows"]
            if (stable.get("modelDigest"), rows) != (last.get("modelDigest"), last.get("rows")):
                late.append(place)
    return late


def checks(children: Iterable[Object]) -> list[str]:
    """The checks that go on."""
    jobs = (c for c in children if c["kind"] == "Job" and c["metadata"]["labels"].get(ROLE) == "check")
    return [job["metadata"]["name"] for job in jobs if not job.get("status", {}).get("completionTime")]


def _restless(obj: Object | None, jobs: Mapping[str, Object]) -> str:
    if obj is None:
        return "does not exist"
    status = obj.get("status", {})
    if status.get("observedGeneration") != obj["metadata"]["generation"]:
        return "has not been seen"
    conditions = {c["type"]: c for c in status.get("conditions", [])}
    ready, moves = conditions.get("Ready", {}), conditions.get("Reconciling", {})
    if ready.get("status") != "True" or moves.get("status") != "False":
        return f"{ready.get('status')} {ready.get('reason')}: {ready.get('message', '')}"
    if status.get("candidate") or status.get("rollout"):
        return "rolls out"
    if obj["kind"] == "ModelDeployment" and not _follows(obj, jobs):
        return "serves another model than its job's"
    if "run" in status and obj["kind"] == "DriftMonitor" and not _checked(obj):
        return "has not been checked"
    return ""


def _follows(deployment: Object, jobs: Mapping[str, Object]) -> bool:
    """It may not know of the last model yet, while the watch of jobs hangs."""
    job = jobs.get(deployment["spec"]["model"]["trainingJobRef"]["name"], {})
    made = (job.get("status", {}).get("model") or {}).get("digest")
    served = (deployment["status"].get("stable") or {}).get("modelDigest")
    return bool(made == served)


def _checked(monitor: Object) -> bool:
    """On demand; of what is for `outdated` to say."""
    status = monitor["status"]
    obeyed = status.get("run") == monitor["metadata"].get("annotations", {}).get(RUN, "")
    return bool(obeyed and status.get("lastCheck"))


def orphans(objects: Iterable[Object], children: Iterable[Object]) -> list[str]:
    """Children whose owner is not there, or is another one of the same name. A pod is its Job's, so only by name."""
    uids = {key_of(obj): obj["metadata"]["uid"] for obj in objects}
    return [
        f"{child['kind']} {child['metadata']['name']} of {owner.kind} {owner.name}"
        for child in children
        if (owner := owner_of(child)) and (owner not in uids or not (_indirect(child) or _owned(child, uids[owner])))
    ]


def _owned(child: Object, uid: str) -> bool:
    return any(reference["uid"] == uid for reference in child["metadata"].get("ownerReferences", []))


def _indirect(child: Object) -> bool:
    """Made by a controller of Kubernetes, for a child of ours."""
    return any(o["kind"] in ("CronJob", "Job", "ReplicaSet") for o in child["metadata"].get("ownerReferences", []))


def differences(ours: Mapping[str, Any], other: Mapping[str, Any], at: str = "") -> list[str]:
    """Where two states differ, one line each."""
    lines: list[str] = []
    for name in sorted({*ours, *other}):
        mine, theirs, where = ours.get(name), other.get(name), f"{at}.{name}" if at else name
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            lines += differences(mine, theirs, where)
        elif mine != theirs:
            lines.append(f"{where}: {mine!r}, without faults {theirs!r}")
    return lines
