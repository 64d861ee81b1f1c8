"""When a dataset is built, and the Job and task that build it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from modelyard.api.dataset import BuildStatus, DatasetSpec, DatasetStatus, Expectation, Source
from modelyard.api.fields import seconds
from modelyard.contract.tasks import (
    SOURCE_SECRETS_PATH,
    DatasetTask,
    ExpectationTask,
    FieldTask,
    RolesTask,
    RowCountTask,
    SchemaTask,
    SourceTask,
    SplitsTask,
)
from modelyard.plan.job import job
from modelyard.plan.labels import child_name, hash_of, run_of
from modelyard.plan.moments import is_ahead, later, moment
from modelyard.plan.observe import Observed
from modelyard.plan.plan import Object
from modelyard.plan.pods import TaskPod, Volume
from modelyard.plan.settings import Settings
from modelyard.plan.suspension import is_suspended

ROLE = "build"
SPEC = "spec"  # the request of a build for a new or changed spec
POLL = "poll:"  # begins the request of a build that only looks for news
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Wanted:
    """Why a build is wanted: the spec, somebody's word, a waiting TrainingJob, or the clock. Empty: none is."""

    request: str
    at: datetime | None = None  # when the clock will want the next one


def wanted(resource: Object, spec: DatasetSpec, status: DatasetStatus, observed: Observed, now: datetime) -> Wanted:
    """The first reason there is to look at the sources (again)."""
    last = status.last_build
    if last is None or last.spec_hash != spec_hash(resource, spec):
        return Wanted(SPEC)
    run = run_of(resource)
    if run and run != status.run:
        return Wanted(f"run:{run}"[:253])
    asked, upcoming = _asked_for(observed.related.get("TrainingJob", ()), now)
    in_vain = last.request == f"after:{asked}" and last.seconds is None  # it gave no result
    if asked and not in_vain and not _newer(status.checked_at, asked):
        return Wanted(f"after:{asked}")
    if spec.refresh.trigger != "OnSourceChange":
        return Wanted("", upcoming)
    looked = max(t for t in (status.checked_at, last.finished_at, last.started_at) if t)
    every = seconds(spec.refresh.poll)
    due = later(looked, every)
    if not is_ahead(due, now, timedelta(seconds=2 * every)):
        return Wanted(f"{POLL}{looked}")
    return Wanted("", min(due, upcoming) if upcoming else due)


def _asked_for(jobs: Iterable[Object], now: datetime) -> tuple[str, datetime | None]:
    """The latest time that has come after which a waiting TrainingJob wants the sources to have been looked at, and
    when to see to the next one, in a day at the latest: no look before it could be an answer."""
    times = [
        str(after)
        for j in jobs
        if (after := j["spec"]["datasetRef"].get("checkedAfter"))
        and not j.get("status", {}).get("datasetDigest")
        and j.get("status", {}).get("phase") not in ENDED
        and not is_suspended(j)
    ]
    come = [text for text in times if moment(text) <= now]
    ahead = [at for text in times if (at := moment(text)) > now]
    upcoming = min(min(ahead), now + timedelta(days=1)) + timedelta(seconds=1) if ahead else None
    return max(come, key=moment, default=""), upcoming


def _newer(checked_at: str | None, than: str) -> bool:
    return checked_at is not None and moment(checked_at) > moment(than)


def spec_hash(resource: Object, spec: DatasetSpec) -> str:
    """Of what is built and how, and of which object: a dataset of the same name made anew is another one.

    Without defaults: a new version of the operator that knows more fields must not build everything again.
    """
    given = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"refresh", "suspend"})
    return hash_of([resource["metadata"]["uid"], given])


def job_name(resource: Object, build: BuildStatus) -> str:
    """Of what was asked for, too: a build that nobody knows of any more is no answer to another question."""
    asked = hash_of([build.spec_hash, build.request], 4)
    return child_name(resource["metadata"]["name"], ROLE, str(build.number), asked)


def _source(source: Source) -> SourceTask:
    given = source.model_dump(exclude={"credentials_secret_ref"})
    return SourceTask(**given, has_credentials=source.credentials_secret_ref is not None)


def _expectation(number: int, given: Expectation) -> ExpectationTask:
    kinds = ("between", "unique", "not_null", "row_count", "sql")
    kind = next((k for k in kinds if getattr(given, k) is not None), "expectation")
    about = given.column or ",".join(given.columns or []) or ""
    return ExpectationTask(
        name=given.name or f"{number}:{kind}({about})",
        severity=given.severity,
        column=given.column,
        columns=given.columns or [],
        between=given.between,
        unique=given.unique,
        not_null=given.not_null,
        row_count=RowCountTask(**given.row_count.model_dump()) if given.row_count else None,
        sql=given.sql,
        equals=given.equals if given.sql else None,
        max_fail_ratio=float(given.max_fail_ratio),
    )


def task(resource: Object, spec: DatasetSpec, settings: Settings) -> DatasetTask:
    """The build as the pod gets it."""
    return DatasetTask(
        namespace=resource["metadata"]["namespace"],
        name=resource["metadata"]["name"],
        store=settings.store,
        sources=[_source(s) for s in spec.sources],
        sql=spec.transform.sql if spec.transform else None,
        roles=RolesTask(
            key=spec.columns.key, time=spec.columns.time, label=spec.columns.label, pii=spec.columns.pii or None
        ),
        data_schema=SchemaTask(
            mode=spec.data_schema.mode, fields=[FieldTask(**f.model_dump()) for f in spec.data_schema.fields]
        ),
        expectations=[_expectation(n, e) for n, e in enumerate(spec.expectations, 1)],
        splits=SplitsTask(
            strategy=spec.splits.strategy,
            key=spec.splits.key,
            time=spec.columns.time,
            salt=spec.splits.salt,
            ratios=spec.splits.ratios.model_dump(),
        ),
    )


def build_job(resource: Object, spec: DatasetSpec, build: BuildStatus, settings: Settings) -> dict[str, Any]:
    secrets = tuple(
        Volume(
            f"source-{n}",
            f"{SOURCE_SECRETS_PATH}/{s.name}",
            {"secret": {"secretName": s.credentials_secret_ref.name}},
        )
        for n, s in enumerate(spec.sources)
        if s.credentials_secret_ref
    )
    pod = TaskPod(settings.images.dataset, task(resource, spec, settings), spec.resources, volumes=secrets)
    run = run_of(resource)
    obeyed = {"run": hash_of(run)} if run else {}  # it is begun after it was asked for
    return job(resource, build.job, ROLE, pod, seconds(spec.deadline), settings, revision=build.spec_hash, **obeyed)
