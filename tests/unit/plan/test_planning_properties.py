"""Whatever happens in any order: planning again changes nothing, lost writes are made up for, the end is reached."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelyard.contract.document import Document
from modelyard.contract.results import DatasetResult, FailureResult, TrainResult
from modelyard.plan.dataset import plan_dataset
from modelyard.plan.training import plan_training
from tests.unit.plan.builders import Built, dataset, digest, ready_dataset, training_job, unready_dataset
from tests.unit.plan.simulation import STATUS, Simulation

Act = Callable[[Simulation, int], None]
NO_STORE = FailureResult(blame="world", reason="StoreUnavailable", message="the store does not answer")
BAD_SQL = FailureResult(blame="user", reason="InvalidSql", message="no column named x")


def built(outcome: Any) -> DatasetResult:
    return DatasetResult(
        outcome=outcome,
        digest=digest("b" if outcome == "Quarantined" else "a"),
        rows=5,
        bytes=5,
        files=1,
        profile_digest=digest("e"),
        logical_digest=digest("f"),
        inputs_digest=digest("1"),
        checked_at="2026-03-01T12:00:30Z",
    )


TRAINED = TrainResult(
    model_digest=digest("a"),
    format="skops",
    metrics={"accuracy": 0.9},
    profile_digest=digest("e"),
    train_rows=8,
    test_rows=2,
    bytes=5,
)


def dataset_simulation() -> Simulation:
    return Simulation(plan_dataset, dataset().spec(refresh={"trigger": "OnSourceChange", "poll": "15m"}))


def training_simulation() -> Simulation:
    return Simulation(plan_training, training_job(), ready_dataset())


def lose(it: Simulation, which: int) -> None:
    """Some writes of a reconcile arrive, some do not."""
    names = [c["metadata"]["name"] for c in it.plan().apply]
    it.step([name for n, name in enumerate([*names, STATUS]) if which >> n & 1])


def reconcile(it: Simulation, which: int) -> None:
    it.step()


def delete(it: Simulation, which: int) -> None:
    if it.children:
        kind, name = sorted(it.children)[which % len(it.children)]
        it.delete(kind, name)


def with_pod(change: Callable[[Built], Built]) -> Act:
    def act(it: Simulation, which: int) -> None:
        if it.jobs():
            it.pod(change)

    return act


def finishing(result: Document, exit_code: int = 0) -> Act:
    return with_pod(lambda p: p.ended(exit_code, result.canonical()))


def change_spec(it: Simulation, which: int) -> None:
    field = "transform" if it.resource["kind"] == "Dataset" else "parameters"
    it.resource = it.resource.spec(**{field: {"sql": f"select {which}"}})


def suspend(it: Simulation, which: int) -> None:
    """Two times in three; else the run goes on."""
    it.resource = it.resource.spec(suspend=which % 3 > 0)


def ask(it: Simulation, which: int) -> None:
    it.resource = it.resource.annotated(run=str(which % 3))


def new_data(it: Simulation, which: int) -> None:
    it.related = [ready_dataset(version="bcd"[which % 3])] if it.resource["kind"] == "TrainingJob" else []


ACTS: dict[str, Act] = {
    "reconcile": reconcile,
    "lose": lose,
    "delete": delete,
    "wait": lambda it, which: it.pass_time([1, 11, 31, 400, 1000][which % 5]),
    "run": with_pod(Built.running),
    "hinder": with_pod(lambda p: p.waiting("ErrImagePull", "not found")),
    "hold": with_pod(lambda p: p.condition("PodScheduled", "False", "Unschedulable", "1 Insufficient cpu")),
    "preempt": with_pod(lambda p: p.ended(143).condition("DisruptionTarget", "True", "PreemptionByScheduler")),
    "fail in the world": finishing(NO_STORE, 1),
    "fail": finishing(BAD_SQL, 1),
    "change": change_spec,
    "ask": ask,
    "suspend": suspend,
    "new data": new_data,
}
DATASET_ACTS = {**ACTS, "promote": finishing(built("Promoted")), "quarantine": finishing(built("Quarantined"))}
TRAINING_ACTS = {**ACTS, "succeed": finishing(TRAINED)}


def plays(acts: dict[str, Act]) -> st.SearchStrategy[list[tuple[str, int]]]:
    return st.lists(st.tuples(st.sampled_from(sorted(acts)), st.integers(0, 15)), max_size=25)


def finds(*related: Built) -> Act:
    def act(it: Simulation, which: int) -> None:
        it.related = list(related)

    return act


# What changes nothing of what is to be done: writes are lost, and it takes a while to know of the data.
BLIND_ACTS: dict[str, Act] = {
    **{name: ACTS[name] for name in ("reconcile", "lose", "wait", "run")},
    "no data": finds(),
    "data is looked for": finds(unready_dataset()),
    "data": finds(ready_dataset()),
}


def hold_to_the_rules(it: Simulation) -> None:
    """What is true at any moment. One result read may let the next build begin; then nothing moves by itself."""
    seen, plan = it.observed(), it.plan()
    for _ in range(2):
        assert not {c["metadata"]["name"] for c in plan.apply} & {c["metadata"]["name"] for c in plan.delete}
        before, plan = plan, it.planner(it.resource.holding(plan.status), seen, it.now, it.settings)
        if plan.status == before.status:
            break
    assert plan.status == before.status
    assert plan.events == ()
    assert len(it.jobs()) <= 1


def play(it: Simulation, acts: dict[str, Act], script: list[tuple[str, int]]) -> None:
    for name, which in script:
        acts[name](it, which)
        hold_to_the_rules(it)


@settings(max_examples=150, deadline=None)
@given(plays(DATASET_ACTS))
def test_a_dataset_always_comes_to_a_good_version(script: list[tuple[str, int]]) -> None:
    it = dataset_simulation()
    play(it, DATASET_ACTS, script)
    change_spec(it, 99)  # the user mends what was wrong
    suspend(it, 0)
    for _ in range(3):
        it.settle()
        if it.jobs():
            it.finish(built("Promoted"))
    it.settle()
    assert it.status["current"]["digest"] == digest("a")
    assert it.told()[0] == "True"
    assert it.condition("Stalled")["status"] == "False"
    assert it.settle().apply == ()


@settings(max_examples=150, deadline=None)
@given(plays(DATASET_ACTS))
def test_a_good_version_is_never_lost(script: list[tuple[str, int]]) -> None:
    it = dataset_simulation()
    it.settle()
    it.finish(built("Promoted"))
    it.settle()
    for name, which in script:
        DATASET_ACTS[name](it, which)
        it.step()
        assert it.status["current"]["digest"] == digest("a")
        assert it.told()[0] == "True"


@settings(max_examples=150, deadline=None)
@example([("lose", 2), ("data is looked for", 0), ("reconcile", 0)])
@given(plays(BLIND_ACTS))
def test_an_attempt_is_made_once(script: list[tuple[str, int]]) -> None:
    it = training_simulation()
    for name, which in [*script, ("data", 0)]:
        BLIND_ACTS[name](it, which)
    it.settle()
    assert it.made == [it.status["job"]]


@settings(max_examples=150, deadline=None)
@given(plays(TRAINING_ACTS))
def test_a_run_always_comes_to_an_end_and_then_rests(script: list[tuple[str, int]]) -> None:
    it = training_simulation()
    play(it, TRAINING_ACTS, script)
    suspend(it, 0)
    for _ in range(8):
        it.settle()
        if it.status["phase"] in ("Succeeded", "Failed"):
            break
        if it.status["phase"] == "BackingOff":
            it.pass_time(301)
        elif it.jobs():
            it.finish(TRAINED)
    ended = it.status
    assert ended["phase"] in ("Succeeded", "Failed")
    it.children.clear()
    it.related = []
    it.pass_time(10**6)
    assert it.settle().apply == ()
    assert it.status == ended


@pytest.mark.parametrize("make", [dataset_simulation, training_simulation])
def test_the_operator_may_stop_after_any_write(make: Callable[[], Simulation]) -> None:
    """Every prefix of children, deletions, status: the next reconcile does the rest."""
    whole = make()
    whole.settle()
    for written in range(2):
        it = make()
        names = [c["metadata"]["name"] for c in it.plan().apply]
        kinds = [c["kind"] for c in it.plan().apply]
        assert kinds == ["Job"]
        it.interrupted(written)
        it.settle()
        assert it.status == whole.status
        assert set(it.children) == set(whole.children) == set(zip(kinds, names, strict=True))
