"""The Jobs of a monitor: checks on schedule and on demand, and the gate's attempts.

Checks read their task from one ConfigMap that follows the serving model; a gate attempt carries its own.
"""

from collections.abc import Sequence
from typing import Any

from modelyard.api.drift import DriftMonitorSpec
from modelyard.contract.tasks import CheckTask, GateTask
from modelyard.plan.job import job, job_spec
from modelyard.plan.labels import child_name, hash_of, labels_for, owner_reference
from modelyard.plan.plan import Object, key_of
from modelyard.plan.pods import TaskPod, task_config_map
from modelyard.plan.settings import Settings

CHECK, GATE = "check", "gate"
DEADLINE_SECONDS = 3600
HISTORY = 2  # finished Jobs that the CronJob keeps
STARTING_DEADLINE_SECONDS = 600  # a check that was missed for longer waits for the next one


def checks_name(monitor: Object) -> str:
    return child_name(monitor["metadata"]["name"], CHECK)


def check_config(monitor: Object, task: CheckTask) -> dict[str, Any]:
    return {**task_config_map(monitor, checks_name(monitor), CHECK, task), "immutable": False}


def cron_job(monitor: Object, spec: DriftMonitorSpec, settings: Settings) -> dict[str, Any]:
    pod = _pod(checks_name(monitor), settings)
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": checks_name(monitor),
            "namespace": monitor["metadata"]["namespace"],
            "labels": labels_for(key_of(monitor), CHECK),
            "ownerReferences": [owner_reference(monitor)],
        },
        "spec": {
            "schedule": spec.schedule.cron,
            "timeZone": spec.schedule.time_zone,
            "concurrencyPolicy": "Forbid",
            "suspend": spec.suspend,
            "startingDeadlineSeconds": STARTING_DEADLINE_SECONDS,
            "successfulJobsHistoryLimit": HISTORY,
            "failedJobsHistoryLimit": HISTORY,
            "jobTemplate": {
                "metadata": {"labels": labels_for(key_of(monitor), CHECK)},
                "spec": job_spec(monitor, CHECK, pod, DEADLINE_SECONDS, settings),
            },
        },
    }


def run_job(monitor: Object, value: str, settings: Settings) -> dict[str, Any]:
    """A check now, for this value of the annotation; another one for a value that comes back after others."""
    status = monitor.get("status", {})
    last = status.get("lastCheck") or {}
    metadata = monitor["metadata"]
    asked = hash_of([metadata["uid"], value, status.get("run", ""), last.get("at"), last.get("job")])
    name = child_name(metadata["name"], "run", asked)
    return job(monitor, name, CHECK, _pod(checks_name(monitor), settings), DEADLINE_SECONDS, settings)


def gate_name(monitor: Object, retrain_id: str, champion: str, challenger: str, attempt: int) -> str:
    """By the digests of what it compares: a verdict about another pair answers nothing."""
    asked = hash_of([retrain_id, champion, challenger])
    return child_name(monitor["metadata"]["name"], GATE, asked, str(attempt))


def gate_job(
    monitor: Object, name: str, task: GateTask, formats: Sequence[str | None], settings: Settings
) -> dict[str, Any]:
    """An attempt of the gate, which loads models of these formats."""
    pod = TaskPod(settings.images.gate_of(*formats), task)
    return job(monitor, name, GATE, pod, DEADLINE_SECONDS, settings)


def _pod(task: str, settings: Settings) -> TaskPod:
    return TaskPod(settings.images.drift, task)
