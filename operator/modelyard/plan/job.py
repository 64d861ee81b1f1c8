"""One attempt of a batch task: an Indexed Job with a single pod that Kubernetes never restarts.

Restarting is ours, by a Job of another name: inside a Job, failed pods are replaced with Kubernetes' own back-off and
their results are lost.
"""

from typing import Any

from modelyard.plan.labels import labels_for, owner_reference
from modelyard.plan.plan import Object
from modelyard.plan.pods import PodSpec, key_of, pod_template
from modelyard.plan.settings import Settings


def job_spec(resource: Object, role: str, pod: PodSpec, deadline_seconds: int, settings: Settings) -> dict[str, Any]:
    """The `spec` of a Job, also for a CronJob's template."""
    return {
        "completionMode": "Indexed",
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": 0,
        "podReplacementPolicy": "Failed",
        "activeDeadlineSeconds": deadline_seconds,
        "template": pod_template(pod, settings, labels_for(key_of(resource), role)),
    }


def job(
    resource: Object, name: str, role: str, pod: PodSpec, deadline_seconds: int, settings: Settings
) -> dict[str, Any]:
    """A Job owned by the resource."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": resource["metadata"]["namespace"],
            "labels": labels_for(key_of(resource), role),
            "ownerReferences": [owner_reference(resource)],
        },
        "spec": job_spec(resource, role, pod, deadline_seconds, settings),
    }
