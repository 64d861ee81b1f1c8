"""What is wrong with a pod has the same name, whichever kind it works for."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from modelyard.api.conditions import timestamp
from modelyard.contract.reasons import Reason
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.labels import labels_for
from modelyard.plan.observe import Told
from modelyard.plan.plan import Object, key_of
from modelyard.plan.training import plan_training
from tests.unit.plan import endpoints, monitored
from tests.unit.plan.builders import Built, dataset, job, pod, ready_dataset, training_job
from tests.unit.plan.pod_statuses import CASES
from tests.unit.plan.refusals import REFUSALS as CASES_OF_REFUSAL
from tests.unit.plan.simulation import Simulation
from tests.unit.plan.world import World

EARLIER = "2026-03-01T11:50:00Z"
CREATING = pod().waiting("ContainerCreating").condition("PodScheduled", lastTransitionTime=EARLIER)
SILENT = pod().running().condition("Ready", "False").condition("ContainersReady")

Told_ = tuple[Told, ...]
TOLD: list[tuple[str, Built, Told_, Reason]] = [
    (
        "a ConfigMap is missing",
        CREATING,
        (Told("FailedMount", 'MountVolume.SetUp failed for volume "code" : configmap "c" not found', EARLIER),),
        Reason.CONFIG_ERROR,
    ),
    ("nothing is told", CREATING.spec(volumes=[{"name": "s", "secret": {"secretName": "s"}}]), (), Reason.CONFIG_ERROR),
    (
        "no network on the node",
        CREATING,
        (Told("FailedCreatePodSandBox", "network is not ready", EARLIER),),
        Reason.NODE_LOST,
    ),
    ("the node is silent", SILENT, (), Reason.NODE_LOST),
    *((name, seen, (), reason) for name, seen, reason, _, _, _ in CASES),
]
SHOWN = [pytest.param(*case[1:], id=case[0]) for case in TOLD]

REFUSALS = [pytest.param(*case[1:4], id=case[0]) for case in CASES_OF_REFUSAL]


def shown(status: Object) -> str:
    """The reason of Ready; while an attempt is waited for, that of the last one."""
    conditions = {c["type"]: c["reason"] for c in status["conditions"]}
    ready: str = conditions["Ready"]
    return ready if ready != Reason.BACKING_OFF else conditions.get("Trained", conditions.get("Built", ready))


def of_dataset(seen: Built, told: Told_) -> str:
    return _simulated(Simulation(plan_dataset, dataset()), seen, told)


def of_training(seen: Built, told: Told_) -> str:
    return _simulated(Simulation(plan_training, training_job(), ready_dataset()), seen, told)


def _simulated(it: Simulation, seen: Built, told: Told_) -> str:
    it.settle()
    made = it.pod(lambda p: Built({**seen, "metadata": p["metadata"]}))
    it.told_of[made["metadata"]["uid"]] = told
    it.settle()
    return shown(it.status)


def of_deployment(seen: Built, told: Told_) -> str:
    w = endpoints.world()
    w.run()
    w.servers_get_ready(ready=0)
    for kind, name in list(w.children):
        if kind == "Pod":
            made = w.children[kind, name]
            w.children[kind, name] = Built({**seen, "metadata": made["metadata"]})
            w.told[made["metadata"]["uid"]] = told
    w.run()
    return shown(w.status)


def of_check(seen: Built, told: Told_) -> str:
    w = monitored.world()
    made = job("w-check-1").of(w.resource, "check")
    return _monitored(w, made, seen, told)


def of_gate(seen: Built, told: Told_) -> str:
    w = monitored.gating()
    (name,) = monitored.gate_jobs(w)
    return _monitored(w, w.child("Job", name), seen, told)


def _monitored(w: World, made: Built, seen: Built, told: Told_) -> str:
    name, seen = made["metadata"]["name"], deepcopy(seen)
    w.children["Job", name] = made
    role = made["metadata"]["labels"]["modelyard.dev/role"]
    for container in seen["status"].get("containerStatuses", []):
        if "terminated" in container["state"]:  # the gate is tried again a minute after that
            container["state"]["terminated"]["finishedAt"] = timestamp(w.now)
    labels = {**labels_for(key_of(w.resource), role), **pod().in_job(made)["metadata"]["labels"]}
    w.children["Pod", f"{name}-0"] = seen.metadata(name=f"{name}-0", labels=labels, uid="uid-p")
    w.told["uid-p"] = told
    w.run()
    conditions = {c["type"]: c for c in w.status["conditions"]}
    failed = w.status.get("retrain", {}).get("state") == "Failed"  # a gate that cannot judge ends the retraining
    return str(w.status["history"][-1]["message"].split(": ")[1] if failed else conditions["Ready"]["reason"])


def of_refused_job(said: str) -> tuple[str, str]:
    it = Simulation(plan_training, training_job(), ready_dataset())
    it.settle()
    uid = it.children["Job", it.jobs()[0]]["metadata"]["uid"]
    it.told_of[uid] = (Told("FailedCreate", f"Error creating: {said}", EARLIER),)
    it.settle()
    return it.condition("Ready")["reason"], it.condition("Ready")["message"]


def of_refused_deployment(said: str) -> tuple[str, str]:
    w = endpoints.world()
    w.run()
    (name,) = w.names("Deployment")
    w.children["Deployment", name] = w.child("Deployment", name).condition("ReplicaFailure", message=said)
    w.run()
    return w.condition("Ready")[1], w.message()


@pytest.mark.parametrize("kind", [of_dataset, of_training, of_deployment, of_check, of_gate], ids=lambda k: k.__name__)
@pytest.mark.parametrize(("seen", "told", "reason"), SHOWN)
def test_every_kind_shows_the_same_reason(
    kind: Callable[[Built, Told_], str], seen: Built, told: Told_, reason: Reason
) -> None:
    assert kind(seen, told) == reason


@pytest.mark.parametrize("kind", [of_refused_job, of_refused_deployment], ids=lambda k: k.__name__)
@pytest.mark.parametrize(("said", "reason", "part"), REFUSALS)
def test_a_refused_pod_is_shown_with_what_refuses_it(
    kind: Callable[[str], tuple[str, str]], said: str, reason: Reason, part: str
) -> None:
    shown_reason, message = kind(said)
    assert shown_reason == reason
    assert part[:40] in message
