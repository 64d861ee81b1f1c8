"""How two runs are compared, and what counts as lost."""

from typing import Any

from modelyard.plan.labels import labels_for
from modelyard.plan.plan import Key
from tests.soak.state import checks, differences, orphans, outdated, settled, state
from tests.soak.wishes import Place


def dataset(uid: str = "u", ready: str = "True", digest: str = "d", seen: int = 3) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "status": ready, "reason": "Ready", "message": f"built at {uid}"},
        {"type": "Reconciling", "status": "False", "reason": "Ready"},
    ]
    status = {"observedGeneration": seen, "phase": "Ready", "conditions": conditions}
    current = {"digest": digest, "createdAt": f"time of {uid}"}
    metadata = {"namespace": "ns", "name": "d", "uid": uid, "generation": 3, "resourceVersion": uid}
    return {"kind": "Dataset", "metadata": metadata, "spec": {}, "status": {**status, "current": current}}


def job(owner: str, kind: str = "Job", by: str = "Dataset") -> dict[str, Any]:
    labels = labels_for(Key("Dataset", "ns", "d"), "build")
    references = [{"kind": by, "uid": owner}]
    metadata = {"namespace": "ns", "name": f"d-build-{owner}", "labels": labels, "ownerReferences": references}
    return {"kind": kind, "metadata": metadata}


def test_uids_times_and_names_make_no_difference() -> None:
    one, other = (state([dataset(uid)], [job(uid)]) for uid in ("a", "b"))
    assert differences(one, other) == []


def test_another_version_another_condition_and_a_child_more_do() -> None:
    right = state([dataset()], [job("u")])
    assert differences(state([dataset(digest="e")], [job("u")]), right) == [
        "Dataset d.status.current.digest: 'e', without faults 'd'"
    ]
    assert len(differences(state([dataset(ready="False")], [job("u")]), right)) == 1
    assert len(differences(state([dataset()], [job("u"), job("u")]), right)) == 1
    assert len(differences({}, right)) == 1


def test_pods_come_and_go() -> None:
    assert differences(state([dataset()], [job("u"), job("u", "Pod")]), state([dataset()], [job("u")])) == []


def test_children_of_nobody_and_of_an_earlier_object_of_the_name_are_lost() -> None:
    assert orphans([dataset("u")], [job("u")]) == []
    assert orphans([], [job("u")]) == ["Job d-build-u of Dataset d"]
    assert orphans([dataset("new")], [job("old")]) == ["Job d-build-old of Dataset d"]
    assert orphans([dataset("new")], [job("x", "Pod", "Job")]) == []
    assert len(orphans([], [job("x", "Pod", "Job")])) == 1


def test_only_what_is_seen_ready_and_still_is_at_rest() -> None:
    place = Place("Dataset", "d")
    assert settled([dataset()], [place]) == []
    assert settled([], [place]) == ["Dataset d: does not exist"]
    assert settled([dataset(seen=2)], [place]) == ["Dataset d: has not been seen"]
    assert settled([dataset(ready="False")], [place])[0].startswith("Dataset d: False Ready")


def test_an_endpoint_rests_when_it_serves_its_jobs_model() -> None:
    place = Place("ModelDeployment", "d")
    trained = {"kind": "TrainingJob", "metadata": {"name": "d"}, "status": {"model": {"digest": "new"}}}
    serving = {**dataset(), "kind": "ModelDeployment", "spec": {"model": {"trainingJobRef": {"name": "d"}}}}
    for digest, restless in (("new", []), ("old", ["ModelDeployment d: serves another model than its job's"])):
        found = {**serving, "status": {**serving["status"], "stable": {"modelDigest": digest}}}
        assert settled([found, trained], [place]) == restless


def test_a_monitor_whose_last_check_is_of_another_model_or_spec_is_outdated() -> None:
    serving = {"kind": "ModelDeployment", "metadata": {"name": "m"}, "status": {"stable": {"modelDigest": "new"}}}
    spec = {"modelDeploymentRef": {"name": "m"}, "window": {"rows": 1001}}
    monitor = {"kind": "DriftMonitor", "metadata": {"name": "w"}, "spec": spec}
    late = [Place("DriftMonitor", "w")]
    for digest, rows, found in (("old", 1001, late), ("new", 1000, late), ("new", 1001, [])):
        last = {"modelDigest": digest, "rows": rows}
        assert outdated([serving, {**monitor, "status": {"lastCheck": last}}]) == found


def test_a_check_goes_on_until_its_job_is_complete() -> None:
    labels = labels_for(Key("DriftMonitor", "ns", "w"), "check")
    check = {"kind": "Job", "metadata": {"name": "w-run-1", "labels": labels}}
    over = {**check, "status": {"completionTime": "2026-01-01T00:00:00Z"}}
    assert checks([check, over, job("u")]) == ["w-run-1"]
