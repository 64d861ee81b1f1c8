"""When a Dataset looks at its sources again."""

import pytest

from modelyard.api.conditions import timestamp
from modelyard.contract.results import FailureResult
from tests.unit.plan.builders import Built, dataset, digest, training_job
from tests.unit.plan.test_dataset import BAD_SQL, built, result, world


def test_resources_that_are_given_again_with_their_defaults_are_no_change() -> None:
    it = built()
    it.resource = it.resource.spec(columns={"key": []}, deadline="1h", splits={"strategy": "none"})
    assert it.settle().apply == ()


def test_how_often_to_look_is_no_part_of_the_recipe() -> None:
    it = built()
    it.resource = it.resource.spec(refresh={"trigger": "OnSourceChange", "poll": "1h"})
    assert it.settle().apply == ()
    assert it.plan().requeue_after == pytest.approx(3600, abs=60)


def test_the_run_annotation_builds_once_per_value() -> None:
    it = built(dataset().annotated(run="1"))
    assert it.jobs() == ["d-build-1-" + it.jobs()[0][-4:]]  # the first build obeys it at once
    it.resource = it.resource.annotated(run="2")
    it.settle()
    assert it.told() == ("True", "Ready")  # looking again is no news
    assert it.condition("Reconciling")["status"] == "True"
    it.finish(result("b"))
    it.settle()
    assert it.status["run"] == "2"
    assert it.status["current"]["digest"] == digest("b")
    assert it.settle().apply == ()


def test_a_long_value_of_the_annotation_builds_once() -> None:
    it = built()
    it.resource = it.resource.annotated(run="1" * 300)
    it.settle()
    it.finish(result("b"))
    it.settle()
    assert it.made.count(it.jobs()[0]) == 1
    assert it.status["lastBuild"]["number"] == 2


def test_a_first_build_that_had_begun_before_it_was_asked_for_is_no_answer() -> None:
    it = world()
    it.step(losing=["status"])
    it.resource = it.resource.annotated(run="1")
    it.settle()
    it.finish(result("a"))
    it.settle()
    assert (it.status["lastBuild"]["number"], it.status["lastBuild"]["request"]) == (2, "run:1")


def test_sources_are_polled_when_asked_to() -> None:
    it = built(dataset().spec(refresh={"trigger": "OnSourceChange", "poll": "15m"}))
    it.pass_time(60)
    assert it.settle().apply == ()
    it.pass_time(900)
    it.settle()
    assert it.status["lastBuild"]["request"].startswith("poll:")
    it.finish(result("a", "Unchanged", checked_at=timestamp(it.now)))
    it.settle()
    said = len(it.events)
    it.pass_time(901)
    it.settle()
    it.finish(result("a", "Unchanged", checked_at=timestamp(it.now)))
    it.settle()
    assert len(it.events) == said  # nothing new is not told


def test_a_broken_source_is_looked_at_again_at_the_next_poll() -> None:
    it = world(dataset().spec(refresh={"trigger": "OnSourceChange", "poll": "15m"}))
    it.settle()
    it.finish(FailureResult(blame="user", reason="SourceNotFound", message="sources[0]: no file"), exit_code=1)
    it.settle()
    assert it.told()[1] == "SourceNotFound"
    it.pass_time(901)
    it.settle()
    it.finish(result())
    it.settle()
    assert it.told() == ("True", "Ready")


def waiting(after: str) -> Built:
    return training_job("t-r-1").spec(datasetRef={"name": "d", "checkedAfter": after})


def test_a_job_that_waits_for_fresh_data_makes_the_sources_be_looked_at() -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T13:00:00Z")]
    it.settle()
    assert it.status["lastBuild"]["request"] == "after:2026-03-01T13:00:00Z"
    it.finish(result("b", checked_at="2026-03-01T13:00:20Z"))
    it.settle()
    assert it.settle().apply == ()


def test_of_times_of_different_zones_the_latest_counts() -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T17:00:00+05:00"), waiting("2026-03-01T12:59:00Z")]
    it.settle()
    assert it.status["lastBuild"]["request"] == "after:2026-03-01T12:59:00Z"


@pytest.mark.parametrize("poll", ["1h", "15m", None])
def test_a_time_ahead_is_waited_for_and_asks_for_one_look(poll: str | None) -> None:
    it = built(dataset().spec(refresh={"trigger": "OnSourceChange", "poll": poll}) if poll else None)
    it.related = [waiting("2026-03-01T12:30:00Z"), waiting("2026-03-01T13:30:00Z")]
    plan = it.settle()
    assert (plan.apply, it.status["lastBuild"]["number"]) == ((), 1)
    assert plan.requeue_after == pytest.approx(900 if poll == "15m" else 1801, abs=60)
    it.pass_time(1801)
    it.settle()
    assert it.status["lastBuild"]["request"] == "after:2026-03-01T12:30:00Z"
    it.finish(result("a", "Unchanged", checked_at=timestamp(it.now)))
    it.settle()
    plan = it.settle()
    assert (plan.apply, it.status["lastBuild"]["number"]) == ((), 2)
    assert plan.requeue_after == pytest.approx(900 if poll == "15m" else 3600, abs=60)


def test_the_last_of_all_times_is_waited_for_too() -> None:
    it = built()
    it.related = [waiting("9999-12-31T23:59:59Z")]
    plan = it.settle()
    assert (plan.apply, plan.requeue_after) == ((), 86401)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_job_that_has_ended_waits_for_nothing(phase: str) -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T13:00:00Z").status(phase=phase)]
    assert it.settle().apply == ()


def test_fresh_data_that_cannot_be_had_is_not_asked_for_again_and_again() -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T13:00:00Z")]
    it.settle()
    it.finish(BAD_SQL, exit_code=1)
    it.settle()
    assert (it.told(), it.status["phase"]) == (("True", "InvalidSql"), "Degraded")
    it.pass_time(86400)
    assert it.settle().apply == ()


def test_a_pods_slow_clock_does_not_make_fresh_data_stale() -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T13:00:00Z")]
    it.pass_time(2)
    it.settle()
    it.finish(result("b", checked_at="2026-03-01T12:30:00Z"))
    it.settle()
    assert it.status["checkedAt"] == "2026-03-01T13:00:02Z"
    assert it.settle().apply == ()


def test_a_new_version_is_told_once() -> None:
    it = built()
    it.resource = it.resource.annotated(run="again")
    it.settle()
    it.finish(result("b"))
    it.settle()
    assert [e.message for e in it.events if "v-bbbbbbbbbbbb" in e.message] == [
        "v-bbbbbbbbbbbb has 1,200 rows and is current"
    ]


def test_a_build_whose_status_was_lost_goes_on_while_it_is_not_known_who_asked_for_it() -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T13:00:00Z")]
    it.step(losing=["status"])
    made = it.children
    it.related = []  # another leader has not heard of the job yet
    it.settle()
    assert it.children == made
    it.related = [waiting("2026-03-01T13:00:00Z")]
    it.settle()
    assert it.jobs() == [it.status["lastBuild"]["job"]]
    assert it.made.count(it.status["lastBuild"]["job"]) == 1


def test_a_build_that_nobody_knows_of_any_more_answers_no_other_question() -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T13:00:00Z")]
    it.step(losing=["status"])
    (lost,) = set(it.jobs()) - {it.status["lastBuild"]["job"]}
    it.related = []
    it.resource = it.resource.annotated(run="1")
    it.settle()
    assert it.jobs() == [it.status["lastBuild"]["job"]] != [lost]
    assert (it.status["lastBuild"]["number"], it.status["lastBuild"]["request"]) == (2, "run:1")


def test_a_build_whose_status_was_lost_ends_where_the_dataset_is_suspended() -> None:
    it = built()
    it.pass_time(3600)
    it.related = [waiting("2026-03-01T13:00:00Z")]
    it.step(losing=["status"])
    it.resource = it.resource.spec(suspend=True)
    it.settle()
    assert it.jobs() == []
