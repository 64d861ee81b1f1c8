"""A life of all four kinds that makes the operator do all it ever does to the API server.

A new kind of request needs a new scenario at the end of SCENARIOS, else its right is found to be unused.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from modelyard.contract.progress import Routing, ServingStats
from modelyard.contract.results import FailureResult
from modelyard.contract.tasks import CheckTask, DatasetTask
from modelyard.runtime.resources import resource_of
from tests.cluster.controlplane import ControlPlane
from tests.cluster.mock_kubelet.answers import checked, dataset, well
from tests.cluster.mock_kubelet.life import Hindrance, Life, Seen, exits, fails, succeeds
from tests.cluster.mock_kubelet.management import healthy
from tests.cluster.waiting import until

Object = dict[str, Any]
WITHIN = 120.0  # seconds for one step, on a loaded machine

CANARY = "canary-7f3a91"  # stands wherever a user may put a secret; nobody may repeat it
LEAK = "leaked-9b1d44"  # what a program says of its secrets when it fails
WORSE = {"metric": "accuracy", "baseline": 0.9, "value": 0.7, "lower": 0.66, "upper": 0.74}
SOURCE = {
    "name": "orders",
    "uri": f"https://reader:{CANARY}@data.example/orders.csv?token={CANARY}",
    "sha256": "0" * 64,
    "credentialsSecretRef": {"name": "lake"},
}


class Place:
    """A namespace and what a user does in it."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self.api, self.name = plane.api, name

    def apply(self, kind: str, name: str, spec: Mapping[str, Any], **annotations: str) -> None:
        resource = resource_of(kind)
        metadata = {"name": name, "namespace": self.name, "annotations": annotations}
        body = {"apiVersion": resource.api_version, "kind": kind, "metadata": metadata, "spec": spec}
        assert self.api.apply(resource.path(self.name, name), body) in (200, 201)

    def secret(self, name: str) -> None:
        data = {"AWS_ACCESS_KEY_ID": CANARY, "AWS_SECRET_ACCESS_KEY": CANARY}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
        assert self.api.apply(f"/api/v1/namespaces/{self.name}/secrets/{name}", body) in (200, 201)

    def get(self, kind: str, name: str) -> Object:
        found: Object = self.api.call("GET", resource_of(kind).path(self.name, name))[1]
        return found

    def named(self, kind: str) -> list[str]:
        items = self.api.call("GET", resource_of(kind).path(self.name))[1]["items"]
        return [item["metadata"]["name"] for item in items]

    def delete(self, kind: str, name: str) -> None:
        assert self.api.call("DELETE", resource_of(kind).path(self.name, name))[0] == 200

    def until(self, kind: str, name: str, accept: Callable[[Object], Any]) -> None:
        until(
            lambda: bool(accept(self.get(kind, name).get("status", {}))),
            f"{kind} {self.name}/{name}",
            WITHIN,
            every_s=0.5,
        )

    def until_gone(self, kind: str, *, left: int = 0) -> None:
        until(lambda: len(self.named(kind)) == left, f"{left} {kind} left in {self.name}", WITHIN, every_s=0.5)


def in_phase(*phases: str) -> Callable[[Object], bool]:
    return lambda status: status.get("phase") in phases


def done_at(generation: int) -> Callable[[Object], bool]:
    return lambda status: status.get("phase") == "Succeeded" and status["observedGeneration"] == generation


def builds(place: Place) -> None:
    place.secret("modelyard-store")
    place.secret("lake")
    sql = {"sql": f"select *, '{CANARY}' as password from orders"}
    spec = {"sources": [SOURCE], "transform": sql, "columns": {"label": "churned"}}
    place.apply("Dataset", "churn", spec, note=f"token={CANARY}")
    place.until("Dataset", "churn", in_phase("Ready"))


def trains(place: Place) -> None:
    spec = {"datasetRef": {"name": "churn"}, "recipe": {"task": "classification"}, "parameters": {"api_key": CANARY}}
    place.apply("TrainingJob", "churn", spec)
    place.until("TrainingJob", "churn", in_phase("Succeeded"))


def serves(place: Place) -> None:
    rollout = {"steps": [{"weight": 50, "hold": "3s"}, {"weight": 100}]}
    spec = {"model": {"trainingJobRef": {"name": "churn"}}, "rollout": rollout}
    place.apply("ModelDeployment", "churn", spec)
    place.until("ModelDeployment", "churn", lambda status: status.get("readyReplicas") == 2)


def retrains(place: Place) -> None:
    """A finding, a retraining, its gate, its canary, and the end of the servers before."""
    spec = {"checks": {"performance": {"metric": "accuracy"}}, "retrain": {"action": "Retrain"}}
    spec |= {"modelDeploymentRef": {"name": "churn"}}
    place.apply("DriftMonitor", "churn", spec, **{"modelyard.dev/run": "now"})
    place.until("DriftMonitor", "churn", lambda status: status.get("retrain", {}).get("state") == "Promoted")
    place.until("ModelDeployment", "churn", lambda s: "-r-" in s.get("stable", {}).get("trainingJob", ""))
    place.until_gone("Deployment", left=1)


def shrinks(place: Place) -> None:
    """One server needs no disruption budget."""
    place.apply("ModelDeployment", "churn", {**place.get("ModelDeployment", "churn")["spec"], "replicas": {"min": 1}})
    place.until_gone("PodDisruptionBudget")


def changes(place: Place) -> None:
    """A new run takes the place of the last one: its Job, its task, its code."""
    for number in (1, 2):
        code = {"inline": f"PASSWORD = '{CANARY}'  # {number}"}
        place.apply("TrainingJob", "scripted", {"datasetRef": {"name": "churn"}, "script": code})
        place.until("TrainingJob", "scripted", done_at(place.get("TrainingJob", "scripted")["metadata"]["generation"]))


def waits_for_an_image(place: Place) -> None:
    """The pod does not say why it does not start; only events would."""
    place.apply("TrainingJob", "late", {"datasetRef": {"name": "churn"}, "recipe": {"task": "classification"}})
    place.until("TrainingJob", "late", in_phase("Succeeded"))


def fails_with_secrets_in_its_last_words(place: Place) -> None:
    for name in ("traceback", "structured"):
        place.apply("TrainingJob", name, {"datasetRef": {"name": "churn"}, "recipe": {"task": "classification"}})
        place.until("TrainingJob", name, in_phase("Failed"))


def ends(place: Place) -> None:
    """Without an endpoint there is nothing to check on schedule."""
    place.delete("ModelDeployment", "churn")
    place.until_gone("CronJob")
    place.until_gone("Deployment")


SCENARIOS: tuple[Callable[[Place], None], ...] = (
    builds,
    trains,
    serves,
    retrains,
    shrinks,
    changes,
    waits_for_an_image,
)
SCENARIOS += (fails_with_secrets_in_its_last_words, ends)


def live(place: Place) -> None:
    for scenario in SCENARIOS:
        scenario(place)


def played(seen: Seen) -> Life:
    """Every build finds new data, every check a worse model; two trainings fail and tell too much."""
    if isinstance(seen.task, DatasetTask):
        return Life(succeeds(dataset(seen.task, seen.number)))
    if isinstance(seen.task, CheckTask):
        worse = {**WORSE, "rows": 500, "coverage": 0.5, "degraded": True}
        return Life(succeeds(checked(seen.task, "Degraded", performance=worse)))
    if seen.resource == "late":
        return replace(well(seen), hindrance=Hindrance("ImagePullBackOff", "", seconds=6))
    if seen.resource == "traceback":
        return Life(exits(1, f"Traceback (most recent call last):\nOSError: no login with password={LEAK}"))
    if seen.resource == "structured":
        said = f"cannot open https://reader:{LEAK}@data.example/f, AWS_SECRET_ACCESS_KEY={LEAK}"
        return Life(fails(FailureResult(blame="user", reason="UserError", message=said)))
    return well(seen)


class HostileAnswers:
    """Servers that first send the operator elsewhere, then answer nonsense, then an error, and then behave."""

    def __init__(self, elsewhere: str) -> None:
        self.given = 0
        self._answers = (
            lambda: web.HTTPFound(elsewhere),
            lambda: web.HTTPTemporaryRedirect(elsewhere),
            lambda: web.HTTPOk(text=f'{{"epoch": "{CANARY}", "stable": "{CANARY}"}}'),
            lambda: web.HTTPOk(text=f"Authorization: Bearer {CANARY}"),
            lambda: web.HTTPInternalServerError(text=CANARY),
        )

    def __call__(self, seen: Seen, routing: Routing) -> ServingStats:
        if self.given < len(self._answers):
            self.given += 1
            raise self._answers[self.given - 1]()
        return healthy(seen, routing)
