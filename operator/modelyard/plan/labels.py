"""Labels, annotations and names of children, all in one place."""

from typing import Any

from modelyard.api.fields import API_VERSION, GROUP
from modelyard.contract.document import digest_of, short
from modelyard.plan.plan import Key, Object

MANAGER = "modelyard"
MANAGED_BY = "app.kubernetes.io/managed-by"
SELECTOR = f"{MANAGED_BY}={MANAGER}"
KIND = f"{GROUP}/kind"
NAME = f"{GROUP}/name"
ROLE = f"{GROUP}/role"  # build, attempt, server, check, gate
REVISION = f"{GROUP}/revision"  # of servers: the model's; of builds and attempts: the hash of the spec
FAMILY = f"{GROUP}/family"  # on TrainingJobs made by a monitor: the root's name
APPLIED_HASH = f"{GROUP}/applied-hash"  # written by the runtime, to skip equal applies
TASK = f"{GROUP}/task"  # of pods: the task they carry
RUN = f"{GROUP}/run"  # a user's annotation: a changed value runs a check or a build now; of builds: its hash, a label
APPROVE = f"{GROUP}/approve"  # a user's annotation: the id of the proposed retraining
PAUSED = f"{GROUP}/paused"
JOB_NAME = "batch.kubernetes.io/job-name"  # of pods, as JOB_UID: the Job they work for
JOB_UID = "batch.kubernetes.io/controller-uid"


def labels_for(key: Key, role: str, **more: str) -> dict[str, str]:
    """The labels of a child; extra ones are given by keyword, e.g. revision."""
    extra = {f"{GROUP}/{name.replace('_', '-')}": value for name, value in more.items()}
    return {MANAGED_BY: MANAGER, KIND: key.kind, NAME: key.name, ROLE: role, **extra}


def run_of(resource: Object) -> str:
    """The value of a user's annotation RUN, as much of it as a status keeps."""
    return str(resource["metadata"].get("annotations", {}).get(RUN, ""))[:253]


def owner_of(child: Object) -> Key | None:
    """The resource a child works for, by its labels."""
    metadata = child.get("metadata", {})
    labels = metadata.get("labels", {})
    if labels.get(MANAGED_BY) != MANAGER or KIND not in labels or NAME not in labels:
        return None
    return Key(labels[KIND], metadata.get("namespace", ""), labels[NAME])


def owner_reference(resource: Object) -> dict[str, Any]:
    metadata = resource["metadata"]
    return {
        "apiVersion": resource.get("apiVersion", API_VERSION),
        "kind": resource["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def child_name(name: str, *parts: str) -> str:
    """`<name>-<part>...`, at most 52 characters (a Job's pods add 11); a long name is cut and given a hash."""
    full = "-".join((name, *parts))
    if len(full) <= 52:
        return full
    tail = "-".join(("", *parts))
    kept = name[: 52 - len(tail) - 7].rstrip("-")
    return f"{kept}-{short(digest_of(name), 6)}{tail}"


def hash_of(value: Any, length: int = 8) -> str:
    return short(digest_of(value), length)
