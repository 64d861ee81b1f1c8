"""The task and the Job of one attempt of a training run."""

from typing import Any

from modelyard.api.fields import seconds
from modelyard.api.training import TrainingJobSpec
from modelyard.contract.tasks import SCRIPT_PATH, TrainTask
from modelyard.plan.job import job
from modelyard.plan.labels import child_name, hash_of
from modelyard.plan.plan import Object
from modelyard.plan.pods import TaskPod, Volume, config_map, scratch
from modelyard.plan.settings import Settings

ROLE = "attempt"
WORK = "/opt/ml"


def run_hash(resource: Object, spec: TrainingJobSpec) -> str:
    """Of the whole spec, and of which object: a job of the same name made anew is another one.

    Without defaults: a new version of the operator that knows more fields must not train everything again.
    """
    given = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"suspend"})
    return hash_of([resource["metadata"]["uid"], given])


def attempt_name(resource: Object, run: str, digest: str, attempt: int) -> str:
    """Of the Job. Its data is part of it: if the status with the pinned version is lost, and by then another version
    is current, the attempt that runs on the old one is not taken for one on the new."""
    return child_name(resource["metadata"]["name"], hash_of([run, digest]), str(attempt))


def names(job_name: str) -> tuple[str, str]:
    """Of the Job, and of the ConfigMap with an inline script."""
    return job_name, f"{job_name}-code"


def needs(spec: TrainingJobSpec, job_name: str) -> tuple[tuple[str, str], ...]:
    """Kinds and names of an attempt's children."""
    job_key, code_key = ("Job", job_name), ("ConfigMap", names(job_name)[1])
    return (code_key, job_key) if spec.script and spec.script.inline is not None else (job_key,)


def task(resource: Object, spec: TrainingJobSpec, digest: str, attempt: int, settings: Settings) -> TrainTask:
    """The attempt as the pod gets it."""
    described = spec.recipe or spec.script
    return TrainTask(
        namespace=resource["metadata"]["namespace"],
        name=resource["metadata"]["name"],
        store=settings.store,
        dataset_name=spec.dataset_ref.name,
        dataset_digest=digest,
        attempt=attempt,
        recipe=spec.recipe.name if spec.recipe else None,
        kind_of_task=described.task if described else "classification",
        entry_point=spec.script.entry_point if spec.script else None,
        parameters=spec.parameters,
        allow_unsafe=settings.unsafe(spec.allow_unsafe_formats),
    )


def children(
    resource: Object, spec: TrainingJobSpec, run: str, job_name: str, digest: str, attempt: int, settings: Settings
) -> tuple[dict[str, Any], ...]:
    """An inline script's ConfigMap, and the Job; both go by the Job's name."""
    carried = task(resource, spec, digest, attempt, settings)
    volumes = [Volume("work", WORK, scratch(spec.resources), read_only=False)]
    more: list[dict[str, Any]] = []
    if spec.script:
        _, name = names(job_name)
        if spec.script.inline is not None:
            more = [config_map(resource, name, ROLE, {spec.script.entry_point: spec.script.inline})]
        elif spec.script.config_map_ref:
            name = spec.script.config_map_ref.name
        volumes.append(Volume("code", SCRIPT_PATH, {"configMap": {"name": name}}))
    pod = TaskPod(spec.image or settings.images.training, carried, spec.resources, volumes=tuple(volumes))
    return (*more, job(resource, job_name, ROLE, pod, seconds(spec.deadline), settings, revision=run))
