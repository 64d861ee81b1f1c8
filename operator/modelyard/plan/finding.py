"""What a check found: taken into the monitor's status once, and counted where it is evidence for retraining."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.api.drift import CheckStatus, ColumnFinding, DriftMonitorStatus, PerformanceStatus
from modelyard.contract.results import CheckResult
from modelyard.contract.wording import DETAIL_LIMIT, plain
from modelyard.plan.measure import decimal
from modelyard.plan.moments import moment

SILENT = frozenset({"NoRows", "InsufficientData", "QualityViolation"})  # say nothing about drift or decay


@dataclass(frozen=True)
class Checked:
    """The result of a finished check Job."""

    job: str
    at: str  # RFC 3339
    result: CheckResult

    @property
    def order(self) -> tuple[Any, str]:
        return moment(self.at), self.job


def untaken(status: DriftMonitorStatus, checks: Sequence[Checked]) -> list[Checked]:
    """Results newer than the last one taken, oldest first. A Job seen again is not taken again."""
    ordered = sorted(checks, key=lambda c: c.order)
    if status.last_check is None:
        return ordered
    last = (moment(status.last_check.at), status.last_check.job)
    return [c for c in ordered if c.order > last]


def take(status: DriftMonitorStatus, check: Checked, champion: str, when: Sequence[str]) -> DriftMonitorStatus:
    """The status after a check. Traffic of another model than the champion is recorded and counts for nothing."""
    row = status.findings_in_a_row if status.champion_digest == champion else 0
    if check.result.model_digest == champion:
        row = _streak(row, check.result, when)
    changes = {"last_check": _recorded(check), "findings_in_a_row": row, "champion_digest": champion}
    return status.model_copy(update=changes)


def finding(result: CheckResult | CheckStatus, when: Sequence[str]) -> str | None:
    """The kind of finding in `when` that a check made; decay before drift."""
    if result.verdict in SILENT:
        return None
    if "Performance" in when and result.verdict == "Degraded":
        return "Performance"
    if "DataDrift" in when and (result.verdict == "Drifted" or result.drifted_columns):
        return "DataDrift"
    return None


def _streak(row: int, result: CheckResult, when: Sequence[str]) -> int:
    """One more for a finding that counts; none for its absence; unchanged where the check could not tell."""
    if finding(result, when):
        return row + 1
    looked = result.verdict not in SILENT and ("DataDrift" in when or result.performance is not None)
    return 0 if looked else row


def _recorded(check: Checked) -> CheckStatus:
    result = check.result
    measured = result.performance
    performance = measured and PerformanceStatus(
        metric=measured.metric,
        baseline=decimal(measured.baseline),
        value=decimal(measured.value),
        lower=decimal(measured.lower),
        upper=decimal(measured.upper),
        rows=measured.rows,
        coverage=decimal(measured.coverage),
    )
    worst = [
        ColumnFinding(
            column=plain(c.column, 128),
            method=c.method[:32],
            effect=decimal(c.effect),
            threshold=decimal(c.threshold),
        )
        for c in result.worst
    ]
    return CheckStatus(
        job=check.job,
        at=check.at,
        verdict=result.verdict,
        message=plain(result.message, DETAIL_LIMIT),
        rows=result.rows,
        window_end=result.window_end,
        model_digest=result.model_digest,
        drifted_columns=result.drifted_columns,
        columns=result.columns,
        worst=worst,
        quality_findings=[plain(f) for f in result.quality_findings],
        performance=performance,
        report=result.report,
        html=result.html,
    )
