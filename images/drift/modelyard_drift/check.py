"""The check: a window of captured traffic against what the model was trained on and measured at."""

import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from modelyard.contract.capture import PREDICTION
from modelyard.contract.manifest import ModelManifest
from modelyard.contract.profile import Profile
from modelyard.contract.results import CheckResult, PerformanceFinding
from modelyard.contract.store import captures, labels
from modelyard.contract.tasks import CheckTask, PerformanceTask
from modelyard_drift.captured import Captured, features_of, newest_rows
from modelyard_drift.drift import compare
from modelyard_drift.evidence import ALARMS, Evidence, judge
from modelyard_drift.html import render_html
from modelyard_drift.labels import TIME, labels_since
from modelyard_drift.performance import performance
from modelyard_drift.quality import quality_findings
from modelyard_drift.report import CheckReport, report_path
from modelyard_kit.model import load_manifest
from modelyard_kit.profile import load_profile
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store

KEPT = 5  # findings and columns in the result; the report has all


def check(task: CheckTask, reporter: Reporter) -> CheckResult:
    """Reads, judges, reports. Data of any kind gives a verdict; raises TaskFailure where the store fails."""
    started, now, store = time.monotonic(), datetime.now(UTC), Store(task.store)
    manifest = load_manifest(store, task.namespace, task.training_job, task.model_digest)
    profile = load_profile(store, manifest.profile_digest)
    reporter.report("Reading", 10, f"captured rows of {task.deployment}")
    prefix = captures(task.namespace, task.deployment)
    captured = newest_rows(store, prefix, manifest, task.model_digest, task.window.rows, _oldest_allowed(task, now))
    captured_values = [column for column in manifest.features if not column.pii]
    window = features_of(captured.rows, captured_values).append_column(PREDICTION, captured.rows[PREDICTION])
    evidence = Evidence(captured.rows.num_rows)
    if evidence.rows >= task.window.min_rows:
        reporter.report("Checking", 40, f"{evidence.rows} rows")
        evidence = _gather(store, task, manifest, profile, captured, window, now)
    verdict, message = judge(evidence, task)
    html_path, html_error = None, None
    if verdict in ALARMS:
        reporter.report("Reporting", 80, f"{verdict}: {message}")
        html_path = report_path(task, "check", task.model_digest, now, "html")
        html_error = render_html(store, profile.sample_digest, window, html_path, f"{verdict}: {message}")
    result = CheckResult(
        verdict=verdict,
        model_digest=task.model_digest,
        rows=evidence.rows,
        **_span(captured.rows),
        quality_findings=evidence.quality[:KEPT],
        drifted_columns=len(evidence.drifted),
        columns=len(evidence.columns),
        worst=[column.finding() for column in evidence.columns[:KEPT]],
        min_detectable_effect=max((column.detectable for column in evidence.columns), default=None),
        performance=evidence.performance,
        report=report_path(task, "check", task.model_digest, now, "json"),
        html=None if html_error else html_path,
        message=message,
        seconds=round(time.monotonic() - started, 3),
    )
    _write(store, result, evidence, captured, html_error)
    reporter.report("Done", 100, f"{verdict}: {message}")
    return result


def _gather(
    store: Store,
    task: CheckTask,
    manifest: ModelManifest,
    profile: Profile,
    captured: Captured,
    window: pa.Table,
    now: datetime,
) -> Evidence:
    finding, silence = _performance(store, task, manifest, captured.rows, now) if task.performance else (None, "")
    return Evidence(
        rows=captured.rows.num_rows,
        quality=quality_findings(profile.columns, captured, window, task) if task.quality else [],
        columns=compare(profile.columns, window, task.data_drift) if task.data_drift else [],
        performance=finding,
        silence=silence,
    )


def _performance(
    store: Store, task: CheckTask, manifest: ModelManifest, rows: pa.Table, now: datetime
) -> tuple[PerformanceFinding | None, str]:
    """On as many mature rows as the window has: where labels come late these are older than the window."""
    ripe_at = now - timedelta(seconds=task.label_max_delay_seconds)
    if rows.num_rows == task.window.rows:
        prefix = captures(task.namespace, task.deployment)
        since = _oldest_allowed(task, now)
        older = newest_rows(store, prefix, manifest, task.model_digest, task.window.rows, since, ripe_at)
        young = rows.filter(pc.field("time") > pa.scalar(ripe_at, TIME))
        rows = pa.concat_tables([young, older.rows])
    prefix, oldest = labels(task.namespace, task.deployment), rows["time"][-1].as_py()
    known = labels_since(store, prefix, oldest, manifest.task, rows["inference_id"])
    return performance(rows, known, manifest, task.performance or PerformanceTask(), ripe_at, task.window.rows)


def _oldest_allowed(task: CheckTask, now: datetime) -> datetime | None:
    age = task.window.max_age_seconds
    return None if age is None else now - timedelta(seconds=age)


def _span(rows: pa.Table) -> dict[str, str]:
    """Times of the oldest and the newest row."""
    if not rows.num_rows:
        return {}
    newest, oldest = rows["time"][0].as_py(), rows["time"][-1].as_py()
    return {"window_start": f"{oldest:%Y-%m-%dT%H:%M:%SZ}", "window_end": f"{newest:%Y-%m-%dT%H:%M:%SZ}"}


def _write(store: Store, result: CheckResult, evidence: Evidence, captured: Captured, html_error: str | None) -> None:
    document = CheckReport(
        result=result,
        quality_findings=evidence.quality,
        columns=evidence.columns,
        files=captured.files,
        unreadable_files=captured.unreadable,
        html_error=html_error,
        performance_error=evidence.silence or None,
    )
    store.put_document(result.report, document)
