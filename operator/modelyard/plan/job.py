"""One attempt of a batch task: an Indexed Job with a single pod that Kubernetes never restarts.

Restarting is ours, by a Job of another name: a Job replaces failed pods with its own back-off and forgets results.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from modelyard.plan.labels import labels_for, owner_reference
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object, key_of
from modelyard.plan.pods import TaskPod, pod_template
from modelyard.plan.settings import Settings


def job_spec(resource: Object, role: str, pod: TaskPod, deadline_seconds: int, settings: Settings) -> dict[str, Any]:
    """The `spec` of a Job, also for a CronJob's template.

    The deadline is the pod's, not the Job's: it counts from the start on a node, so that waiting for a GPU is not
    counted, and the stopped pod stays, with its logs and the reason.
    """
    limited = replace(pod, pod={**pod.pod, "activeDeadlineSeconds": deadline_seconds})
    return {
        "completionMode": "Indexed",
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "template": pod_template(limited, labels_for(key_of(resource), role), settings),
    }


def job(
    resource: Object, name: str, role: str, pod: TaskPod, deadline_seconds: int, settings: Settings, **labels: str
) -> dict[str, Any]:
    """A Job owned by the resource; extra labels as of `labels_for`."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": resource["metadata"]["namespace"],
            "labels": labels_for(key_of(resource), role, **labels),
            "ownerReferences": [owner_reference(resource)],
        },
        "spec": job_spec(resource, role, pod, deadline_seconds, settings),
    }


def absent(observed: Observed, children: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Those that are not there. A task and a Job's template are never changed: an operator with other settings would
    be refused, and what runs is to go on."""
    return tuple(c for c in children if observed.named(c["kind"], c["metadata"]["name"]) is None)
