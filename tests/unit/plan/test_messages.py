"""Whatever pods, registries, schedulers and results say: every plan keeps its promises (see promises.hold)."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.contract.reasons import Reason
from modelyard.contract.results import CheckResult, DatasetResult, FailedExpectation, FailureResult, GateResult
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.observe import Told
from modelyard.plan.training import plan_training
from tests.unit.plan import endpoints, monitored
from tests.unit.plan.builders import Built, dataset, digest, ready_dataset, training_job
from tests.unit.plan.simulation import Simulation

# Long, with line breaks, control characters, our own quotes and links, and what looks like a secret.
SAID = st.one_of(
    st.text(max_size=1500),
    st.lists(
        st.sampled_from(
            [
                "\n",
                "\x00",
                "\u202e",
                "“",
                "”",
                "…",
                "(see docs/reasons/Ready.md)",
                "password=hunter2",
                "word",
                "x" * 300,
            ]
        ),
        max_size=60,
    ).map(" ".join),
)
STATES: dict[str, Callable[[Built, str], Built]] = {
    "ended": lambda p, said: p.ended(1, said),
    "told": lambda p, said: p.ended(1, _failure(said, "user").canonical()),
    "world": lambda p, said: p.ended(1, _failure(said, "world").canonical()),
    "pull": lambda p, said: p.waiting("ErrImagePull", said),
    "config": lambda p, said: p.waiting("CreateContainerConfigError", said),
    "crash": lambda p, said: p.container(
        "Running",
        state={"waiting": {"reason": "CrashLoopBackOff"}},
        lastState={"terminated": {"exitCode": 2, "message": said}},
    ),
    "evicted": lambda p, said: p.status(phase="Failed", reason="Evicted", message=said),
    "unscheduled": lambda p, said: p.condition("PodScheduled", "False", "Unschedulable", said),
    "creating": lambda p, said: p.waiting("ContainerCreating").condition(
        "PodScheduled", lastTransitionTime="2026-03-01T11:00:00Z"
    ),
}
EVENTS = ["FailedMount", "FailedCreatePodSandBox", "Failed", "Unhealthy", "FailedCreate", "Preempted"]


def _failure(said: str, blame: Any) -> FailureResult:
    return FailureResult(blame=blame, reason="BadData", message=said)


def clean(shown: object) -> None:
    assert "hunter2" not in str(shown)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(STATES)), SAID, st.sampled_from(EVENTS), SAID)
def test_whatever_is_said_of_the_pods_of_a_job(state: str, said: str, event: str, more: str) -> None:
    job = training_job().spec(failurePolicy={"maxRestarts": 1, "backoff": "1s"})
    for it in (Simulation(plan_dataset, dataset()), Simulation(plan_training, job, ready_dataset())):
        it.settle()
        it.told_of[it.children["Job", it.jobs()[0]]["metadata"]["uid"]] = (Told(event, more, "2026-03-01T11:59:00"),)
        it.settle()
        for _ in range(2):
            made = it.pod(lambda p: STATES[state](p, said))
            it.told_of[made["metadata"]["uid"]] = (Told(event, more, "2026-03-01T11:59:00"),)
            it.settle()
            it.pass_time(301)
            it.settle()
        clean((it.status, it.events))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(STATES)), SAID, st.sampled_from(EVENTS), SAID)
def test_whatever_is_said_of_servers_and_of_a_candidate(state: str, said: str, event: str, more: str) -> None:
    for w in (endpoints.world(), endpoints.rolling()):
        w.run()
        w.servers_get_ready(ready=0)
        for (kind, name), child in list(w.children.items()):
            if kind == "Pod":
                w.children[kind, name] = STATES[state](child, said)
                w.told[child["metadata"]["uid"]] = (Told(event, more, "2026-03-01T11:59:00"),)
            if kind == "Deployment":
                w.children[kind, name] = child.condition("ReplicaFailure", message=more)
        w.run()
        w.pass_(700)
        w.run()
        clean((w.status, w.events))


@settings(max_examples=60, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=4), SAID, st.sampled_from(["fail", "warn"]))
def test_whatever_a_build_finds(findings: list[str], name: str, severity: Any) -> None:
    it = Simulation(plan_dataset, dataset())
    it.settle()
    expectation = FailedExpectation(name=name, failed=1, total=2, severity=severity, message=findings[0])
    result = DatasetResult(
        outcome="Quarantined" if severity == "fail" else "Promoted",
        digest=digest("a"),
        rows=5,
        bytes=5,
        files=1,
        profile_digest=digest("e"),
        logical_digest=digest("f"),
        inputs_digest=digest("1"),
        checked_at="2026-03-01T12:00:30Z",
        failed_expectations=[expectation],
        schema_findings=findings,
    )
    it.finish(result)
    it.settle()
    clean((it.status, it.events))
    waiting = Simulation(plan_training, training_job(), it.resource)
    waiting.settle()
    clean((waiting.status, waiting.events))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["Drifted", "Degraded", "QualityViolation", "NoRows"]), SAID, SAID, SAID)
def test_whatever_checks_and_gates_say(verdict: str, said: str, column: str, more: str) -> None:
    w = monitored.gating()
    worst = [{"column": column, "method": "wasserstein", "effect": 0.21, "threshold": 0.13}]
    words: dict[str, Any] = {"message": said, "qualityFindings": [said, more], "worst": worst, "driftedColumns": 1}
    (gate,) = monitored.gate_jobs(w)
    found = monitored.gate("Refuse").model_dump() | {"message": more}
    monitored.ends(w, gate, GateResult.model_validate(found), "gate")
    w.run()
    checked: CheckResult = monitored.check(verdict, **words)
    monitored.checked(w, checked)
    clean((w.status, w.events))
    failed = monitored.gating()
    (gate,) = monitored.gate_jobs(failed)
    monitored.ends(failed, gate, _failure(said, "user"), "gate")
    failed.run()
    clean((failed.status, failed.events))


@settings(max_examples=40, deadline=None)
@given(SAID)
def test_whatever_a_job_says_its_deployment_repeats_in_bounds(said: str) -> None:
    for phase in ("Failed", "Running"):
        w = endpoints.world(
            training_job().status(phase=phase).condition("Ready", "False", Reason.USER_ERROR.value, said)
        )
        w.run()
        clean((w.status, w.events))
