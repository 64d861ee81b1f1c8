"""What a check found, and the verdict that follows from it: broken data before decay before drift."""

from dataclasses import dataclass, field
from typing import Literal

from modelyard.contract.results import PerformanceFinding
from modelyard.contract.tasks import CheckTask
from modelyard_drift.drift import ColumnEvidence

Verdict = Literal["NoRows", "InsufficientData", "Stable", "Drifted", "Degraded", "QualityViolation"]
ALARMS: frozenset[Verdict] = frozenset({"Drifted", "Degraded", "QualityViolation"})


@dataclass(frozen=True)
class Evidence:
    """`silence` says why there is no performance, where it was asked for."""

    rows: int
    quality: list[str] = field(default_factory=list)
    columns: list[ColumnEvidence] = field(default_factory=list)
    performance: PerformanceFinding | None = None
    silence: str = ""

    @property
    def drifted(self) -> list[ColumnEvidence]:
        return [column for column in self.columns if column.drifted]


def judge(evidence: Evidence, task: CheckTask) -> tuple[Verdict, str]:
    """The verdict and its reasons in words."""
    if not evidence.rows:
        return "NoRows", (
            f"no answered request of this model was captured{_recently(task)}: check that traffic reaches "
            f"{task.deployment} and that its spec.capture.percent is above 0"
        )
    if evidence.rows < task.window.min_rows:
        return "InsufficientData", (
            f"{evidence.rows} rows were captured{_recently(task)}, spec.window.minRows asks for "
            f"{task.window.min_rows}: neither drift nor its absence can be shown"
        )
    measured = _performance(evidence)
    if evidence.quality:
        more = f" (and {len(evidence.quality) - 1} more)" if len(evidence.quality) > 1 else ""
        return "QualityViolation", f"the captured data is broken: {evidence.quality[0]}{more}"
    if evidence.performance is not None and evidence.performance.degraded and task.performance is not None:
        return "Degraded", f"{measured}; allowed is {task.performance.max_drop:g} worse. {_drift(evidence)}"
    verdict: Verdict = "Drifted" if evidence.drifted else "Stable"
    return verdict, ". ".join(part for part in (_drift(evidence), measured) if part)


def _recently(task: CheckTask) -> str:
    age = task.window.max_age_seconds
    return "" if age is None else f" in the last {age / 3600:g} h"


def _performance(evidence: Evidence) -> str:
    found = evidence.performance
    if found is None:
        return evidence.silence
    return (
        f"{found.metric} is {found.value:.3g} (95 %: {found.lower:.3g} to {found.upper:.3g}) on {found.rows} labelled "
        f"rows, on held-out data it was {found.baseline:.3g}"
    )


def _drift(evidence: Evidence) -> str:
    if not evidence.columns:
        return ""
    drifted = evidence.drifted
    if not drifted:
        return f"None of {len(evidence.columns)} columns drifted in {evidence.rows} rows"
    named = ", ".join(f"{column.column} ({column.effect:.2f})" for column in drifted[:3])
    return f"{len(drifted)} of {len(evidence.columns)} columns drifted in {evidence.rows} rows: {named}"
