"""Which model a ModelDeployment should serve: the family's newest approved one, or exactly the pinned one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from modelyard.api.conditions import timestamp
from modelyard.api.serving import ModelDeploymentStatus, ModelSource, Revision
from modelyard.api.training import ModelStatus
from modelyard.contract.document import short
from modelyard.plan.labels import child_name
from modelyard.plan.moments import moment
from modelyard.plan.observe import root_of
from modelyard.plan.plan import Object

ROLLBACKS_KEPT = 5  # the bound in the CRD


@dataclass(frozen=True)
class Choice:
    """The model to serve, None while there is none; `proposed` names a newer approved job that is not followed."""

    model: Revision | None
    proposed: str | None = None


def revision_name(model_digest: str) -> str:
    """Of the model alone: another pod template for the same model is Kubernetes' own rolling update, no canary."""
    return short(model_digest, 8)


def revision_of(job: Object, now: datetime) -> Revision | None:
    """The model of a TrainingJob as a revision, None where it has none."""
    status = job.get("status", {})
    if not status.get("model"):
        return None
    model = ModelStatus.model_validate(status["model"])
    return Revision(
        revision=revision_name(model.digest),
        model_digest=model.digest,
        model_format=model.format,
        training_job=job["metadata"]["name"],
        dataset_digest=status.get("datasetDigest"),
        profile_digest=model.profile_digest,
        model_created_at=model.created_at,
        since=timestamp(now),
    )


def approved(job: Object) -> bool:
    """A retraining is approved by its gate; a root job by having succeeded."""
    status = job.get("status", {})
    if any(c["type"] == "Approved" and c["status"] == "True" for c in status.get("conditions", [])):
        return True
    return not job.get("spec", {}).get("trigger") and status.get("phase") == "Succeeded"


def in_family(job: str, root: str) -> bool:
    """By name alone, so that it holds for a job that is gone."""
    return job == root or job.startswith(child_name(root, "r", "0" * 8)[:-8])


def choose(source: ModelSource, status: ModelDeploymentStatus, family: Sequence[Object], now: datetime) -> Choice:
    """The stable model itself where nothing else is to be served."""
    named = source.training_job_ref.name
    newest = _newest(status, family, next((root_of(j) for j in family), named), now)
    if source.follow == "Approved":
        return Choice(newest or status.stable)
    # Whoever pins a job vouches for it: no gate is asked.
    pinned = next((revision_of(j, now) for j in family if j["metadata"]["name"] == named), None)
    if pinned is None or any(r.model_digest == pinned.model_digest for r in status.rolled_back):
        return Choice(status.stable)
    ahead = newest if newest and _created(newest) > _created(pinned) else None
    return Choice(pinned, ahead.training_job if ahead else None)


def _newest(status: ModelDeploymentStatus, family: Sequence[Object], root: str, now: datetime) -> Revision | None:
    """The newest approved member, only forward: None where the stable one is as new."""
    models = [r for r in (revision_of(j, now) for j in family if approved(j)) if r and not _rolled_back(status, r)]
    newest = max(models, key=lambda r: (_created(r), r.model_digest), default=None)
    stable = status.stable
    if newest and stable and in_family(stable.training_job, root) and not _supersedes(newest, stable):
        return None
    return newest


def _supersedes(model: Revision, stable: Revision) -> bool:
    """A job has one model at a time: another one of the same job is the later one, even of the same second."""
    if _created(model) == _created(stable):
        return model.training_job == stable.training_job and model.model_digest != stable.model_digest
    return _created(model) > _created(stable)


def _rolled_back(status: ModelDeploymentStatus, model: Revision) -> bool:
    """Or so old that its rollback may have been forgotten: the list is bounded, and nothing is tried twice."""
    past = status.rolled_back
    if len(past) == ROLLBACKS_KEPT and _created(model) < moment(past[0].at):
        return True
    return any(r.model_digest == model.model_digest for r in past)


def _created(model: Revision) -> datetime:
    return moment(model.model_created_at or model.since)
