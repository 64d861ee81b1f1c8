"""Which model is to be served."""

from datetime import UTC, datetime
from typing import Any

import pytest

from modelyard.api.serving import ModelDeploymentStatus, ModelSource, Revision, Rollback
from modelyard.plan.revision import choose, in_family, revision_name

NOW = datetime(2026, 1, 9, tzinfo=UTC)
SOURCE = ModelSource.model_validate({"trainingJobRef": {"name": "churn"}})
PINNED = ModelSource.model_validate({"trainingJobRef": {"name": "churn"}, "follow": "Pinned"})


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def job(name: str, letter: str, day: int, approved: bool = True, root: str | None = "churn") -> dict[str, Any]:
    trigger = {"trigger": {"driftMonitorRef": {"name": "m"}, "rootRef": {"name": root}, "reason": "Performance"}}
    return {
        "kind": "TrainingJob",
        "metadata": {"name": name, "namespace": "ns"},
        "spec": {} if name == root else trigger,
        "status": {
            "phase": "Succeeded",
            "datasetDigest": digest("d"),
            "conditions": [{"type": "Approved", "status": "True" if approved else "False"}],
            "model": {
                "digest": digest(letter),
                "format": "skops",
                "bytes": 1,
                "profileDigest": digest("e"),
                "createdAt": f"2026-01-0{day}T00:00:00Z",
            },
        },
    }


def serving(name: str, letter: str, day: int) -> ModelDeploymentStatus:
    created = f"2026-01-0{day}T00:00:00Z"
    stable = Revision(
        revision=letter * 8,
        model_digest=digest(letter),
        training_job=name,
        model_created_at=created,
        since=created,
    )
    return ModelDeploymentStatus(stable=stable)


def chosen(source: ModelSource, status: ModelDeploymentStatus, *family: dict[str, Any]) -> str | None:
    model = choose(source, status, family, NOW).model
    return model.training_job if model else None


ROOT = job("churn", "a", 1)
BETTER = job("churn-r-00000001", "b", 2)
REFUSED = job("churn-r-00000002", "c", 3, approved=False)
NEWEST = job("churn-r-00000003", "f", 4)


@pytest.mark.parametrize(
    ("status", "family", "expected"),
    [
        (ModelDeploymentStatus(), (), None),
        (ModelDeploymentStatus(), (ROOT,), "churn"),
        (ModelDeploymentStatus(), (REFUSED,), None),
        (serving("churn", "a", 1), (ROOT, BETTER), "churn-r-00000001"),
        (serving("churn", "a", 1), (ROOT, REFUSED), "churn"),
        (serving("churn", "a", 1), (ROOT, BETTER, NEWEST), "churn-r-00000003"),
        (serving("churn-r-00000003", "f", 4), (ROOT, BETTER), "churn-r-00000003"),  # its job is gone: no way back
        (serving("other", "f", 4), (ROOT,), "churn"),  # the reference was changed: another family may be older
    ],
)
def test_the_newest_approved_model_is_followed_forwards_only(
    status: ModelDeploymentStatus, family: tuple[dict[str, Any], ...], expected: str | None
) -> None:
    assert chosen(SOURCE, status, *family) == expected


def test_another_model_of_the_same_job_is_the_later_one_even_in_the_same_second() -> None:
    found = choose(SOURCE, serving("churn", "a", 1), (job("churn", "b", 1),), NOW).model
    assert found
    assert found.model_digest == digest("b")


def test_a_model_that_was_taken_back_is_not_tried_again() -> None:
    past = Rollback(revision="b" * 8, model_digest=digest("b"), at="2026-01-05T00:00:00Z", message="slow")
    status = serving("churn", "a", 1).model_copy(update={"rolled_back": [past]})
    assert chosen(SOURCE, status, ROOT, BETTER) == "churn"


def test_a_forgotten_rollback_is_not_tried_again_either() -> None:
    past = [
        Rollback(revision=x * 8, model_digest=digest(x), at="2026-01-05T00:00:00Z", message="slow") for x in "12345"
    ]
    status = serving("churn", "a", 1).model_copy(update={"rolled_back": past})
    assert chosen(SOURCE, status, ROOT, BETTER) == "churn"
    assert chosen(SOURCE, status, ROOT, BETTER, job("churn-r-00000009", "9", 6)) == "churn-r-00000009"


def test_a_root_that_succeeded_counts_before_its_approval_is_written() -> None:
    root = job("churn", "a", 1, approved=False)
    assert chosen(SOURCE, ModelDeploymentStatus(), root) == "churn"


def test_a_pinned_deployment_serves_its_job_and_names_a_newer_one() -> None:
    choice = choose(PINNED, serving("churn", "a", 1), (ROOT, BETTER, REFUSED), NOW)
    assert choice.model is not None
    assert (choice.model.training_job, choice.proposed) == ("churn", "churn-r-00000001")


def test_pinning_goes_back_to_an_older_model() -> None:
    assert chosen(PINNED, serving("churn-r-00000003", "f", 4), ROOT, NEWEST) == "churn"


def test_a_pinned_job_needs_no_approval() -> None:
    source = ModelSource.model_validate({"trainingJobRef": {"name": "churn-r-00000002"}, "follow": "Pinned"})
    assert chosen(source, serving("churn", "a", 1), ROOT, REFUSED) == "churn-r-00000002"


def test_a_revision_is_named_by_its_model_alone() -> None:
    assert revision_name(digest("a")) == "aaaaaaaa"


@pytest.mark.parametrize(
    ("name", "root", "inside"),
    [
        ("churn", "churn", True),
        ("churn-r-0a1b2c3d", "churn", True),
        ("churn-two", "churn", False),
        ("churn", "churn-two", False),
    ],
)
def test_a_family_is_known_by_name(name: str, root: str, inside: bool) -> None:
    assert in_family(name, root) is inside


def test_who_pins_a_model_older_than_all_rollbacks_that_are_kept_gets_it() -> None:
    back = [
        Rollback(revision=x * 8, model_digest=digest(x), at="2026-01-05T00:00:00Z", message="slow") for x in "12345"
    ]
    status = serving("churn-r-00000003", "f", 4).model_copy(update={"rolled_back": back})
    assert chosen(PINNED, status, ROOT, NEWEST) == "churn"
