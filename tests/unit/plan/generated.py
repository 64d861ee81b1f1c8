"""Everything the operator makes of a spec: the children of each kind at the moment when it has most of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.plan.dataset import plan_dataset
from modelyard.plan.drift import plan_drift
from modelyard.plan.labels import ROLE
from modelyard.plan.plan import Plan
from modelyard.plan.serving import plan_serving
from modelyard.plan.settings import Settings
from modelyard.plan.training import plan_training
from tests.unit.plan.builders import NOW, Built, deployment, digest, observed, own, ready_dataset, training_job
from tests.unit.plan.endpoints import model

Spec = Mapping[str, Any]
Child = dict[str, Any]

PLAIN: dict[str, Spec] = {
    "Dataset": {"transform": {"sql": "select 1 as x"}},
    "TrainingJob": {"datasetRef": {"name": "d"}, "recipe": {"task": "classification"}},
    "ModelDeployment": {"model": {"trainingJobRef": {"name": "t"}}},
    "DriftMonitor": {"modelDeploymentRef": {"name": "m"}},
}
GATING = {
    "id": "00000001",
    "trigger": "Performance",
    "state": "Gating",
    "trainingJob": "t-r-00000001",
    "championDigest": digest("a"),
    "requestedAt": "2026-03-01T11:00:00Z",
    "gateAttempt": 1,
    "gateStartedAt": "2026-03-01T11:30:00Z",
}


@dataclass(frozen=True)
class Template:
    """A pod template and the child it is a part of."""

    child: Child
    pod: Child

    @property
    def role(self) -> str:
        return str(self.pod["metadata"]["labels"][ROLE])

    @property
    def spec(self) -> Child:
        found: Child = self.pod["spec"]
        return found


def planned(kind: str, spec: Spec, settings: Settings | None = None, name: str = "x") -> Plan:
    """The plan for a new resource of that spec, all it refers to being ready; a monitor also judges a model. Without
    settings the chart allows all that it can."""
    resource = own(kind, name).spec(**spec)
    wanted = settings or Settings(allow_unsafe_formats=True)
    if kind == "Dataset":
        return plan_dataset(resource, observed(), NOW, wanted)
    if kind == "TrainingJob":
        data = ready_dataset(str(spec["datasetRef"]["name"]))
        return plan_training(resource, observed(related=(data,)), NOW, wanted)
    if kind == "ModelDeployment":
        job = model("t", "a", 1).metadata(name=spec["model"]["trainingJobRef"]["name"])
        seen = observed(related=(job,))
        taken_up = resource.holding(plan_serving(resource, seen, NOW, wanted).status)
        return plan_serving(taken_up, seen, NOW, wanted)
    return plan_drift(_gating(resource), observed(related=_watched(spec)), NOW, wanted)


def _gating(monitor: Built) -> Built:
    return monitor.status(retrain=GATING).annotated(run="now")


def _watched(spec: Spec) -> tuple[Built, ...]:
    endpoint = deployment(str(spec["modelDeploymentRef"]["name"]))
    stable = {"revision": "a" * 8, "modelDigest": digest("a"), "trainingJob": "t", "since": "2026-03-01T00:00:00Z"}
    root = training_job("t").status(phase="Succeeded")
    return endpoint.status(stable=stable), root, model("t-r-00000001", "b", 2)


def templates(plan: Plan) -> list[Template]:
    """The pod templates in what a plan applies."""
    return [Template(child, pod) for child in plan.apply for pod in _pods(child.get("spec", {}))]


def _pods(part: Child) -> Iterator[Child]:
    if "template" in part:
        yield part["template"]
    if "jobTemplate" in part:
        yield from _pods(part["jobTemplate"]["spec"])


def all_templates() -> list[Template]:
    """The pod templates of all four kinds, of plain specs."""
    return [template for kind, spec in PLAIN.items() for template in templates(planned(kind, spec))]


def own_containers() -> list[Template]:
    """Servers before a user's container: one that serves itself, one with a class."""
    spec = PLAIN["ModelDeployment"]
    wanted: tuple[Spec, ...] = ({"image": "team/own:1"}, {"image": "team/own:1", "pythonClass": "model:Model"})
    made = (templates(planned("ModelDeployment", {**spec, "container": container})) for container in wanted)
    return [template for found in made for template in found]
