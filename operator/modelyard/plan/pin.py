"""Which version of the data a run is pinned to, or why it has to wait."""

from dataclasses import dataclass

from modelyard.api.conditions import timestamp
from modelyard.api.training import TrainingJobSpec
from modelyard.plan.moments import moment
from modelyard.plan.observe import Observed, has_seen_its_spec
from modelyard.plan.plan import Object


@dataclass(frozen=True)
class Pinned:
    digest: str
    checked_at: str | None


def pin(spec: TrainingJobSpec, observed: Observed) -> Pinned | str:
    """The version to train on, or what is waited for, in words."""
    name = spec.dataset_ref.name
    dataset = observed.named("Dataset", name)
    if spec.dataset_ref.digest:
        return Pinned(spec.dataset_ref.digest, None)
    if dataset is None:
        return f"Dataset {name} does not exist: create it"
    current = dataset.get("status", {}).get("current")
    if not current or not _settled(dataset):
        return f"Dataset {name} is not ready: {_words(dataset)}"
    checked_at = dataset["status"].get("checkedAt")
    after = spec.dataset_ref.checked_after
    if after and not (checked_at and moment(checked_at) > moment(after)):
        said = f": {_words(dataset)}" if _halted(dataset) else ""
        return f"Dataset {name} is to look at its sources again after {timestamp(moment(after))}{said}"
    if after and dataset["status"].get("candidate"):
        return f"the newest data of Dataset {name} was rejected: {_words(dataset)}"
    return Pinned(current["digest"], checked_at)


def _halted(dataset: Object) -> bool:
    """It will not look at its sources without a person."""
    conditions = dataset["status"].get("conditions", [])
    return any(c["type"] in ("Stalled", "Suspended") and c["status"] == "True" for c in conditions)


def _settled(dataset: Object) -> bool:
    """A version counts when it is of the present spec, or when the present spec gave none and will not."""
    conditions = {c["type"]: c["status"] for c in dataset["status"].get("conditions", [])}
    building = dataset["status"].get("phase") in ("Pending", "Building", "BackingOff")
    return has_seen_its_spec(dataset) and conditions.get("Ready") == "True" and not building


def _words(dataset: Object) -> str:
    conditions = dataset.get("status", {}).get("conditions", [])
    ready = next((c for c in conditions if c["type"] == "Ready"), None)
    return f"{ready['reason']}: {ready.get('message', '')}" if ready else "nothing was built yet"
