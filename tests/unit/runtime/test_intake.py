"""Who is woken by what."""

from typing import Any

from modelyard.plan.plan import Key
from modelyard.runtime.cache import Cache
from modelyard.runtime.intake import Intake
from tests.unit.runtime.objects import dataset, pod, training


class Woken:
    """A queue that only remembers."""

    def __init__(self) -> None:
        self.keys: list[Key] = []

    def add(self, key: Key) -> None:
        self.keys.append(key)

    def names(self) -> set[str]:
        names = {key.name for key in self.keys}
        self.keys.clear()
        return names


def intake_with(*objects: dict[str, Any]) -> tuple[Intake, Woken]:
    woken = Woken()
    intake = Intake(Cache(), woken)  # type: ignore[arg-type]
    for obj in objects:
        intake.present(obj)
    woken.keys.clear()
    return intake, woken


def test_a_new_resource_wakes_itself() -> None:
    intake, woken = intake_with()
    intake.present(dataset("d"))
    assert woken.names() == {"d"}


def test_an_old_message_wakes_nobody() -> None:
    intake, woken = intake_with(dataset("d", 5))
    intake.present(dataset("d", 5))
    intake.deleted(dataset("d", 4))
    assert woken.names() == set()


def test_a_child_wakes_its_owner_when_it_changes_and_when_it_goes() -> None:
    intake, woken = intake_with(dataset("d"))
    intake.present(pod("p", "d", 1))
    assert woken.names() == {"d"}
    intake.deleted(pod("p", "d", 2))
    assert woken.names() == {"d"}


def test_a_child_of_an_unknown_owner_wakes_nobody() -> None:
    intake, woken = intake_with()
    intake.present(pod("p", "nobody"))
    assert woken.names() == set()


def test_neighbours_are_woken_only_by_what_they_read() -> None:
    intake, woken = intake_with(dataset("d", 1), training("t", 1, dataset="d"))
    intake.present(dataset("d", 2, status={"lastBuild": {"job": "x"}}))
    assert woken.names() == {"d"}
    intake.present(dataset("d", 3, status={"current": {"digest": "sha256:1"}}))
    assert woken.names() == {"d", "t"}


def test_a_dataset_that_has_seen_its_spec_wakes_who_waits_for_that() -> None:
    ready = {"current": {"digest": "sha256:1"}, "observedGeneration": 1}
    intake, woken = intake_with(dataset("d", 1, status=ready), training("t", 1, dataset="d"))
    changed = dataset("d", 2, status=ready)
    changed["metadata"]["generation"] = 2
    intake.present(changed)
    assert woken.names() == {"d", "t"}
    seen = dataset("d", 3, status={**ready, "observedGeneration": 2})
    seen["metadata"]["generation"] = 2
    intake.present(seen)
    assert woken.names() == {"d", "t"}


def test_a_deleted_resource_wakes_its_neighbours_and_itself_to_be_forgotten() -> None:
    intake, woken = intake_with(dataset("d", 1), training("t", 1, dataset="d"))
    intake.deleted(dataset("d", 2))
    assert woken.names() == {"d", "t"}
    intake.deleted(training("t", 3, dataset="d"))
    assert woken.names() == {"t"}


def test_a_new_leader_looks_at_everything() -> None:
    intake, woken = intake_with(dataset("d"), training("t"), pod("p", "d"))
    intake.wake_all()
    assert woken.names() == {"d", "t"}


def test_news_that_no_planner_reads_wakes_nobody() -> None:
    intake, woken = intake_with(dataset("d"), pod("p", "d", 1, phase="Running", hostIP="10.0.0.1"))
    intake.present(pod("p", "d", 2, phase="Running", hostIP="10.0.0.2", qosClass="Burstable"))
    assert woken.names() == set()
    intake.present(pod("p", "d", 3, phase="Failed", hostIP="10.0.0.2"))
    assert woken.names() == {"d"}


def test_a_step_on_the_way_wakes_nobody_and_what_follows_does() -> None:
    scheduled, succeeding = ({"type": type_, "status": "True"} for type_ in ("PodScheduled", "SuccessCriteriaMet"))
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    for child, step in ((pod("p", "d", 1), scheduled), ({**pod("p", "d", 1), "kind": "Job"}, succeeding)):
        intake, woken = intake_with(dataset("d"), child)
        following = {
            **child,
            "metadata": {**child["metadata"], "resourceVersion": "2"},
            "status": {"conditions": [step]},
        }
        intake.present(following)
        assert woken.names() == set()
    intake.present(pod("q", "d", 3, conditions=[refused]))
    assert woken.names() == {"d"}


def test_a_jobs_counters_wake_nobody_and_its_conditions_do() -> None:
    def job(version: int, **status: Any) -> dict[str, Any]:
        return {**pod("j", "d", version, **status), "kind": "Job"}

    intake, woken = intake_with(dataset("d"), job(1))
    intake.present(job(2, active=1, ready=0))
    assert woken.names() == set()
    intake.present(job(3, active=0, conditions=[{"type": "Complete", "status": "True"}]))
    assert woken.names() == {"d"}


def test_what_fails_is_not_woken_by_its_own_status_but_by_whoever_asks_for_something_else() -> None:
    intake, woken = intake_with(dataset("d", 1), training("t", 1))
    key = Key("Dataset", dataset("d")["metadata"]["namespace"], "d")
    intake.failing.add(key)
    told = {"status": {"phase": "Pending"}}
    intake.present(dataset("d", 2) | told)
    assert "d" not in woken.names()
    intake.present(pod("p", "d", 3))
    assert "d" in woken.names()
    changed = dataset("d", 4) | told
    intake.present(changed | {"spec": {"transform": {"sql": "mended"}}})
    assert "d" in woken.names()
    intake.failing.discard(key)
    intake.present(dataset("d", 5) | {"status": {"phase": "Ready"}})
    assert "d" in woken.names()
