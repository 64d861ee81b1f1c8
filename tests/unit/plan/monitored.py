"""A monitor in a world: what checks, trainings and gates bring about, for the tests of its planner."""

from typing import Any

from modelyard.contract.results import CheckResult, FailureResult, GateResult
from modelyard.plan.drift import plan_drift
from modelyard.plan.plan import Key
from tests.unit.plan.builders import Built, deployment, digest, job, monitor, pod, training_job
from tests.unit.plan.world import World

ENDPOINT = Key("ModelDeployment", "ns", "m")
PERFORMANCE = {
    "metric": "accuracy",
    "baseline": 0.9,
    "value": 0.7,
    "lower": 0.66,
    "upper": 0.74,
    "rows": 500,
    "coverage": 0.5,
    "degraded": True,
}


def served(letter: str = "a", job_name: str = "t", form: str | None = None) -> Built:
    stable = {
        "revision": letter * 8,
        "modelDigest": digest(letter),
        "trainingJob": job_name,
        "since": "2026-03-01T00:00:00Z",
    }
    return deployment().status(stable=stable | ({"modelFormat": form} if form else {}))


def world(**retrain: Any) -> World:
    policy = {"action": "Retrain", "cooldown": "1h", "gate": {"timeout": "2h"}, **retrain}
    spec = {"checks": {"performance": {"metric": "accuracy"}}, "retrain": policy}
    root = training_job().status(phase="Succeeded").metadata(uid="root")
    w = World(plan_drift, monitor().spec(**spec), served(), root)
    w.run()
    w.events.clear()
    return w


def check(verdict: str, **more: Any) -> CheckResult:
    words = {"modelDigest": digest("a"), "rows": 1000, "report": "reports/r.json", "message": f"it is {verdict}"}
    return CheckResult.model_validate({"verdict": verdict, "windowEnd": "2026-03-01T11:00:00Z", **words, **more})


def decay(**more: Any) -> CheckResult:
    return check("Degraded", performance=PERFORMANCE, **more)


def gate(verdict: str) -> GateResult:
    figures = {"metric": "accuracy", "champion": 0.7, "challenger": 0.85, "difference": 0.15, "lower": 0.1}
    return GateResult.model_validate({"verdict": verdict, **figures, "rows": 500, "message": "0.85 against 0.7"})


def ends(w: World, name: str, result: CheckResult | GateResult | FailureResult, role: str = "check") -> None:
    """The Job of that name, made by the CronJob where it is not there, ends now."""
    ended_at = w.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    made = w.children.get(("Job", name)) or job(name).of(w.resource, role)
    made = made.metadata(creationTimestamp=ended_at)
    w.children["Job", name] = made
    failed = isinstance(result, FailureResult)
    ended = pod(f"{name}-0").of(w.resource, role).in_job(made).ended(1 if failed else 0, result.canonical())
    state = ended["status"]["containerStatuses"][0]["state"]["terminated"] | {"finishedAt": ended_at}
    phase = "Failed" if failed else "Succeeded"
    w.children["Pod", f"{name}-0"] = ended.container(phase, state={"terminated": state}).metadata(of=("Job", name))


def checked(w: World, result: CheckResult, name: str = "") -> None:
    w.pass_(60)
    ends(w, name or f"w-check-{int(w.now.timestamp())}", result)
    w.run()


def trains(w: World, phase: str = "Succeeded", letter: str = "c", form: str = "onnx") -> str:
    name = str(w.status["retrain"]["trainingJob"])
    made = w.related["TrainingJob", name]
    artifact = {"digest": digest(letter), "format": form, "createdAt": "2026-03-01T12:10:00Z"}
    done = made.status(phase=phase, model=artifact, datasetCheckedAt="2026-03-01T12:05:00Z")
    w.set(done if phase == "Succeeded" else made.status(phase=phase).condition("Ready", "False", "UserError", "exit 3"))
    w.pass_(60)
    w.run()
    return name


def gating(**retrain: Any) -> World:
    w = world(**retrain)
    checked(w, decay())
    trains(w)
    return w


def gate_jobs(w: World) -> list[str]:
    return [n for n in w.names("Job") if "-gate-" in n]
