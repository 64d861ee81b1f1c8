"""Which creations are one too many."""

from typing import Any

import pytest

from tests.soak.creations import Creations


def job(name: str, uid: str, owner: str = "o", role: str = "build", kind: str = "Job") -> dict[str, Any]:
    labels = {"modelyard.dev/role": role}
    references = [{"uid": owner, "controller": True}]
    metadata = {"namespace": "ns", "name": name, "uid": uid, "labels": labels, "ownerReferences": references}
    return {"kind": kind, "metadata": metadata}


def dataset(generation: int, run: str = "") -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": "d", "uid": "o", "generation": generation}
    return {"kind": "Dataset", "metadata": {**metadata, "annotations": {"modelyard.dev/run": run} if run else {}}}


def found(*told: dict[str, Any]) -> list[str]:
    creations = Creations()
    for obj in told:
        creations.tell(obj)
    return creations.duplicates()


def test_what_is_told_twice_was_created_once() -> None:
    assert found(dataset(1), job("d-build-1-ab12", "1"), job("d-build-1-ab12", "1")) == []


def test_a_spec_that_was_changed_before_its_build_was_told_of_leaves_its_number() -> None:
    assert found(dataset(1), dataset(2), job("d-build-1-ab12", "1"), job("d-build-1-cd34", "2")) == []


def test_a_build_for_each_spec_and_each_word_is_right() -> None:
    told = [dataset(1), dataset(2), dataset(2, "now")]
    assert found(*told, *(job(f"d-build-{n}-ab12", str(n)) for n in (1, 2, 3))) == []


@pytest.mark.parametrize(
    "told",
    [
        [dataset(1), dataset(2), job("d-build-1-ab12", "1"), job("d-build-1-ab12", "2")],
        [dataset(1), job("d-build-1-ab12", "1"), job("d-build-2-ab12", "2")],
        [job("t-0123abcd-1", "1", role="attempt"), job("t-0123abcd-1", "2", role="attempt")],
        [job("t-0123abcd-1", "1", role="attempt"), job("t-0123abcd-2", "2", role="attempt")],
        [job("w-gate-12ab-1", "1", role="gate"), job("w-gate-12ab-1", "2", role="gate")],
    ],
    ids=["a build twice", "a build nobody asked for", "an attempt twice", "a second attempt", "a gate twice"],
)
def test_one_too_many_is_found(told: list[dict[str, Any]]) -> None:
    assert len(found(*told)) == 1


def test_another_owner_of_the_same_name_has_its_own_children() -> None:
    assert found(job("t-0123abcd-1", "1", "o", "attempt"), job("t-0123abcd-1", "2", "p", "attempt")) == []


def test_all_creations_are_counted_by_kind() -> None:
    creations = Creations()
    for obj in (job("a", "1"), job("b", "2"), job("c", "3", kind="ConfigMap")):
        creations.tell(obj)
    assert creations.counts() == {"Job": 2, "ConfigMap": 1}
