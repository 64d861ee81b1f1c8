"""What a check adds to the row of findings, and what it does not."""

import pytest

from modelyard.api.drift import DriftMonitorStatus
from modelyard.contract.results import CheckResult, ColumnDrift, PerformanceFinding
from modelyard.plan.finding import Checked, finding, take, untaken

CHAMPION = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
MEASURED = PerformanceFinding(
    metric="accuracy", baseline=0.9, value=0.7, lower=0.65, upper=0.75, rows=500, coverage=0.5, degraded=True
)
FINE = MEASURED.model_copy(update={"degraded": False})


def result(verdict: str, **more: object) -> CheckResult:
    document = {"verdict": verdict, "model_digest": CHAMPION, "rows": 1000, "report": "reports/x.json", **more}
    return CheckResult.model_validate(document)


def checked(verdict: str, job: str = "m-check-1", at: str = "2026-01-01T12:00:00Z", **more: object) -> Checked:
    return Checked(job, at, result(verdict, **more))


def row(start: int) -> DriftMonitorStatus:
    return DriftMonitorStatus(findings_in_a_row=start, champion_digest=CHAMPION)


@pytest.mark.parametrize(
    ("when", "check", "after"),
    [
        (["Performance"], checked("Degraded", performance=MEASURED), 2),
        (["Performance"], checked("Drifted", performance=FINE), 0),
        (["Performance"], checked("Drifted"), 1),  # no labels yet: it cannot tell
        (["DataDrift"], checked("Drifted", drifted_columns=2), 2),
        (["DataDrift"], checked("Degraded", drifted_columns=2), 2),
        (["DataDrift"], checked("Degraded", drifted_columns=0), 0),
        (["Performance", "DataDrift"], checked("Drifted", drifted_columns=1), 2),
        (["Performance"], checked("Stable", performance=FINE), 0),
        (["Performance"], checked("Stable"), 1),  # stable by drift alone
        (["Performance", "DataDrift"], checked("Stable"), 0),
        (["DataDrift"], checked("Stable"), 0),
        (["Performance"], checked("InsufficientData"), 1),
        (["Performance"], checked("NoRows"), 1),
        (["DataDrift"], checked("QualityViolation", drifted_columns=3), 1),
        (["DataDrift"], checked("InsufficientData", drifted_columns=3), 1),
        ([], checked("Degraded"), 1),
    ],
)
def test_only_evidence_changes_the_row_of_findings(when: list[str], check: Checked, after: int) -> None:
    assert take(row(1), check, CHAMPION, when).findings_in_a_row == after


def test_a_finding_about_another_model_is_recorded_and_does_not_count() -> None:
    after = take(row(1), checked("Degraded", model_digest=OTHER), CHAMPION, ["Performance"])
    assert after.findings_in_a_row == 1
    assert after.last_check is not None
    assert after.last_check.model_digest == OTHER


def test_a_new_champion_starts_a_new_row() -> None:
    after = take(row(3), checked("Degraded", model_digest=OTHER, performance=MEASURED), OTHER, ["Performance"])
    assert (after.findings_in_a_row, after.champion_digest) == (1, OTHER)


def test_decay_goes_before_drift_when_both_count() -> None:
    assert finding(result("Degraded", drifted_columns=2), ["DataDrift", "Performance"]) == "Performance"


def test_a_result_is_taken_once() -> None:
    first = checked("Degraded", performance=MEASURED)
    status = take(DriftMonitorStatus(), first, CHAMPION, ["Performance"])
    assert untaken(status, [first]) == []


def test_results_that_came_while_nobody_looked_are_taken_in_their_order() -> None:
    old = checked("Stable", job="m-check-1", at="2026-01-01T12:00:00Z")
    new = checked("Stable", job="m-check-2", at="2026-01-01T12:05:00Z")
    same_second = checked("Stable", job="m-run-1", at="2026-01-01T12:05:00Z")
    status = take(DriftMonitorStatus(), old, CHAMPION, [])
    assert [c.job for c in untaken(status, [same_second, new, old])] == ["m-check-2", "m-run-1"]


def test_a_check_is_recorded_with_its_figures() -> None:
    worst = [ColumnDrift(column="price", method="wasserstein", effect=0.21, threshold=0.13)]
    found = checked(
        "Degraded", performance=MEASURED, worst=worst, drifted_columns=1, columns=7, window_end="2026-01-01T11:59:00Z"
    )
    recorded = take(DriftMonitorStatus(), found, CHAMPION, ["Performance"]).last_check
    assert recorded is not None
    assert recorded.performance is not None
    assert (recorded.performance.value, recorded.performance.lower) == ("0.7", "0.65")
    assert recorded.worst[0].effect == "0.21"
    assert (recorded.drifted_columns, recorded.columns, recorded.window_end) == (1, 7, "2026-01-01T11:59:00Z")
