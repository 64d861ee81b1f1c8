"""Endpoints in a world: models, a first one that serves, a candidate on its way, for the planner's tests."""

from typing import Any

from modelyard.plan.serving import plan_serving
from tests.unit.plan.builders import Built, deployment, digest, training_job
from tests.unit.plan.world import World

ROLLOUT = {
    "steps": [{"weight": 10, "hold": "30s"}, {"weight": 50, "hold": "30s"}, {"weight": 100}],
    "checks": [{"metric": "errorRate", "max": "0.01"}, {"metric": "disagreement", "max": "0.3"}],
    "minRequests": 20,
    "progressDeadline": "10m",
}
FAILURE = '{"result": "failure", "blame": "user", "reason": "UnsafeModel", "message": "os.system is not allowed"}'


def model(name: str, letter: str, day: int, *, approved: bool = True, form: str = "skops") -> Built:
    job = training_job(name)
    if name != "t":
        trigger = {"driftMonitorRef": {"name": "w"}, "rootRef": {"name": "t"}, "reason": "Performance"}
        job = job.spec(trigger=trigger)
    artifact = {
        "digest": digest(letter),
        "format": form,
        "bytes": 1,
        "profileDigest": digest("e"),
        "createdAt": f"2026-02-0{day}T00:00:00Z",
    }
    job = job.status(phase="Succeeded", model=artifact, datasetDigest=digest("d"))
    return job.condition("Approved", "True" if approved else "False")


def world(*jobs: Built, **spec: Any) -> World:
    endpoint = deployment().spec(replicas={"min": 2}, rollout=ROLLOUT, **spec)
    return World(plan_serving, endpoint, *(jobs or (model("t", "a", 1),)))


def serving(*jobs: Built, **spec: Any) -> World:
    """The first model serves."""
    w = world(*jobs, **spec)
    w.run()
    w.servers_get_ready()
    w.run()
    w.events.clear()
    return w


def rolling(**spec: Any) -> World:
    """A candidate is ready and gets its first share."""
    w = serving(**spec)
    w.set(model("t-r-00000001", "b", 2))
    w.run()
    w.servers_get_ready()
    w.run()
    return w


def selected(w: World) -> str:
    return str(w.child("Service", "m")["spec"]["selector"]["modelyard.dev/revision"])


def step(w: World, seconds: float, **figures: Any) -> None:
    w.servers_are_told(w.look(), **figures)
    w.pass_(seconds)
    w.run()


def broken(w: World, name: str, **state: Any) -> None:
    w.servers_get_ready([name.removeprefix("m-")], ready=0)
    for i in range(2):
        w.children["Pod", f"{name}-{i}"] = w.child("Pod", f"{name}-{i}").container("Running", **state)


def dead(w: World, revision: str) -> None:
    """A pod that was evicted long ago and replaced: it stays listed."""
    name = f"m-{revision}-dead"
    made = Built({**w.child("Deployment", f"m-{revision}"), "apiVersion": "v1", "kind": "Pod"}).metadata(
        name=name, uid=name
    )
    status = {
        "phase": "Failed",
        "reason": "Evicted",
        "message": 'Usage of EmptyDir volume "tmp" exceeds the limit "4Gi".',
    }
    spec = {"restartPolicy": "Always", "containers": [{"name": "main", "image": "x"}]}
    w.children["Pod", name] = Built({**made, "spec": spec, "status": status})
