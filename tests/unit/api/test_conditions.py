"""Conditions hold still while nothing changes."""

from datetime import UTC, datetime, timedelta

from modelyard.api.conditions import ConditionSet
from modelyard.api.fields import seconds
from modelyard.contract.reasons import Reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_unchanged_status_keeps_its_transition_time() -> None:
    first = ConditionSet([], 1, NOW)
    first.ready(Reason.READY)
    second = ConditionSet(first.dump(), 1, NOW + timedelta(hours=1))
    second.ready(Reason.READY)
    assert second.dump() == first.dump()


def test_changed_status_moves_its_transition_time() -> None:
    first = ConditionSet([], 1, NOW)
    first.ready(Reason.READY)
    second = ConditionSet(first.dump(), 2, NOW + timedelta(hours=1))
    second.stalled(Reason.INVALID_SQL, "spec.transform.sql: mend it")
    ready = next(c for c in second.dump() if c["type"] == "Ready")
    assert (ready["status"], ready["lastTransitionTime"]) == ("False", "2026-01-01T01:00:00Z")
    assert ready["message"] == "spec.transform.sql: mend it (see docs/reasons/InvalidSql.md)"


def test_standard_conditions_are_always_present() -> None:
    conditions = ConditionSet([], 1, NOW)
    conditions.progressing(Reason.BUILDING)
    assert {c["type"] for c in conditions.dump()} == {"Ready", "Reconciling", "Stalled"}


def test_durations_in_seconds() -> None:
    assert [seconds(d) for d in ("30s", "1m", "1h30m", "2d")] == [30, 60, 5400, 172800]
