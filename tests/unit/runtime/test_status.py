"""Patches between statuses, and what the runtime says in them by itself."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.reasons import Reason
from modelyard.plan.labels import PAUSED
from modelyard.runtime import status
from tests.unit.runtime.objects import dataset

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEAF = st.one_of(st.integers(-3, 3), st.sampled_from("ab"), st.lists(st.integers(0, 2), max_size=2), st.booleans())
TREE = st.recursive(LEAF, lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3), max_leaves=8)
DOCUMENT = st.dictionaries(st.sampled_from("xyz"), TREE, max_size=3)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2, word by word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@given(DOCUMENT, DOCUMENT)
def test_the_patch_makes_the_new_of_the_old(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert merged(old, status.merge_patch(old, new)) == new


@given(DOCUMENT)
def test_equal_documents_need_no_patch(document: dict[str, Any]) -> None:
    assert status.merge_patch(document, document) == {}


def test_none_is_the_same_as_absent() -> None:
    assert status.merge_patch({"a": 1}, {"a": 1, "b": None}) == {}
    assert status.merge_patch({"a": 1}, {"a": None}) == {"a": None}


def test_a_pause_is_shown_and_hidden_from_the_planner() -> None:
    resource = dataset("d", status={"phase": "Ready", "conditions": []})
    resource["metadata"]["annotations"] = {PAUSED: "true"}
    assert status.is_paused(resource)
    shown = status.paused(resource, NOW)
    assert shown["phase"] == "Ready"
    assert [c["type"] for c in shown["conditions"]] == ["Paused"]
    assert status.without_pause({**resource, "status": shown}) == resource
    again = status.paused({**resource, "status": shown}, NOW.replace(hour=9))
    assert again == shown


def test_only_true_pauses() -> None:
    resource = dataset("d")
    resource["metadata"]["annotations"] = {PAUSED: "false"}
    assert not status.is_paused(resource)


def test_a_failure_keeps_the_rest_of_the_status() -> None:
    resource = dataset("d", status={"phase": "Ready", "current": {"rows": 1}})
    shown = status.failed(resource, Reason.INTERNAL_ERROR, "it broke", NOW, final=False, planned={})
    assert shown["current"] == {"rows": 1}
    by_type = {c["type"]: c for c in shown["conditions"]}
    assert by_type["Ready"]["reason"] == "InternalError"
    assert by_type["Reconciling"]["status"] == "True"
    later, before = NOW.replace(hour=9), {**resource, "status": shown}
    again = status.failed(before, Reason.INTERNAL_ERROR, "it broke", later, final=False, planned={})
    assert again == shown, "the same failure is not written again"


THEN = {"lastTransitionTime": "2026-01-01T00:00:00Z"}
READY = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Ready", **THEN}]}
NOT_READY = {
    "observedGeneration": 1,
    "conditions": [{"type": "Ready", "status": "False", "reason": "Starting", **THEN}],
}


@pytest.mark.parametrize(
    ("before", "planned", "ready"),
    [
        pytest.param(READY, READY, "True", id="what serves goes on"),
        pytest.param(READY, NOT_READY, "False", id="it was about to end"),
        pytest.param(NOT_READY, READY, "False", id="it is not carried out"),
        pytest.param(READY, {}, "False", id="nobody could plan"),
        pytest.param({**READY, "observedGeneration": 0}, READY, "False", id="of an older spec"),
    ],
)
@pytest.mark.parametrize("final", [True, False])
def test_what_serves_stays_ready_when_something_new_is_refused(
    before: Any, planned: Any, ready: str, final: bool
) -> None:
    resource = dataset("d", status=before)
    shown = status.failed(resource, Reason.QUOTA_EXCEEDED, "no", NOW, final=final, planned=planned)
    found = next(c for c in shown["conditions"] if c["type"] == "Ready")
    assert (found["status"], found["reason"]) == (ready, "QuotaExceeded")


def test_a_monitor_whose_gate_is_refused_does_not_work() -> None:
    resource = {**dataset("d", status=READY), "kind": "DriftMonitor"}
    shown = status.failed(resource, Reason.QUOTA_EXCEEDED, "no", NOW, final=False, planned=READY)
    assert next(c["status"] for c in shown["conditions"] if c["type"] == "Ready") == "False"


def test_what_only_a_person_can_mend_is_stalled() -> None:
    shown = status.failed(dataset("d"), Reason.CONFIG_ERROR, "x" * 5000, NOW, final=True, planned={})
    by_type = {c["type"]: c for c in shown["conditions"]}
    assert by_type["Stalled"]["status"] == "True"
    assert all(len(c["message"]) <= 1024 for c in shown["conditions"])
    assert shown["phase"] == "Pending"
