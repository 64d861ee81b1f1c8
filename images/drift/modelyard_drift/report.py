"""The JSON reports of checks and gates: everything the termination message has no room for."""

from datetime import datetime

from modelyard.contract.document import Document, short
from modelyard.contract.results import CheckResult, GateResult
from modelyard.contract.store import report
from modelyard.contract.tasks import Task
from modelyard_drift.drift import ColumnEvidence


class CheckReport(Document):
    """`effects` says in words how to read the columns' figures."""

    result: CheckResult
    quality_findings: list[str]
    columns: list[ColumnEvidence]
    files: int
    unreadable_files: int
    html_error: str | None = None
    performance_error: str | None = None
    effects: str = (
        "wasserstein: distance in standard deviations of normal scores; cohens-w: effect size of shares. A column "
        "drifted where effect > threshold; chance is what an unchanged column may reach in a window of this size."
    )


class GateReport(Document):
    """`first` and `last` are the capture times of the rows both models were judged on."""

    result: GateResult
    champion_digest: str
    challenger_digest: str
    newer_than: str
    first: str | None = None
    last: str | None = None
    confidence: float
    min_improvement: float
    resamples: int


def report_path(task: Task, kind: str, digest: str, now: datetime, suffix: str) -> str:
    return report(task.namespace, task.name, f"{kind}-{now:%Y%m%dT%H%M%SZ}-{short(digest, 8)}", suffix)
