"""One build: list, compare, download, transform, check, split, publish, promote or quarantine.

Nothing becomes visible before the last write, so a build that dies anywhere leaves at most unused blobs.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from modelyard.contract.manifest import BlobFile, Column, CurrentRef, DatasetManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.results import DatasetResult, FailedExpectation
from modelyard.contract.tasks import DatasetTask
from modelyard_dataset.fetch import fetch_all
from modelyard_dataset.files import publish_profile, publish_split, write_split
from modelyard_dataset.gate import failed_expectations, schema_findings
from modelyard_dataset.listing import SourceFile, inputs_digest, list_sources
from modelyard_dataset.logical import logical_digest
from modelyard_dataset.recipe import build_key, recipe_digest
from modelyard_dataset.sandbox import blamed, sandbox, scalar
from modelyard_dataset.splits import split_conditions
from modelyard_dataset.table import SQL_FIELD, make_table
from modelyard_dataset.versions import Current, Versions, describe
from modelyard_kit.failure import UserFailure
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store

DOWNLOADED = 40  # percent of the task


@dataclass(frozen=True)
class Prepared:
    """A candidate on the scratch disk, judged but not published."""

    columns: list[Column]
    rows: int
    splits: dict[str, tuple[Path, int]]  # file and rows by split
    logical: str
    failed: list[FailedExpectation]
    findings: list[str]


def build(task: DatasetTask, reporter: Reporter) -> DatasetResult:
    """Does a DatasetTask. Raises UserFailure, WorldFailure."""
    started = time.monotonic()
    reporter.report("Listing", 1, f"{len(task.sources)} sources")
    checked_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    versions = Versions(Store(task.store), task)
    files = list_sources(task.sources, task.store)
    inputs, recipe = inputs_digest(files), recipe_digest(task)
    key = build_key(inputs, recipe)
    current = versions.current()
    if current.ref and current.manifest and current.ref.build_key == key:
        return describe(current.manifest, current.ref.digest, checked_at)
    rejected = versions.rejected(key, current)
    if rejected:
        return rejected.model_copy(update={"checked_at": checked_at})
    with TemporaryDirectory() as folder:
        prepared = _prepare(task, files, current, Path(folder), reporter)
        manifest = _publish(task, versions.store, prepared, inputs, recipe, checked_at, reporter)
    result = _decide(versions, manifest, prepared, current, key)
    return result.model_copy(update={"seconds": round(time.monotonic() - started, 1)})


def _prepare(
    task: DatasetTask, files: Sequence[SourceFile], current: Current, folder: Path, reporter: Reporter
) -> Prepared:
    total = sum(file.size for file in files)

    def say(done: int, uri: str) -> None:
        percent = 2 + (DOWNLOADED - 2) * done // total if total else 2
        reporter.report("Downloading", min(percent, DOWNLOADED), f"{done >> 20} of {total >> 20} MiB; {uri}")

    fetched = fetch_all(files, task.store, folder / "sources", say)
    with sandbox(folder) as connection:
        reporter.report("Transforming", DOWNLOADED, SQL_FIELD if task.sql else "")
        columns = make_table(connection, task, fetched)
        rows = scalar(connection, "SELECT count(*) FROM this")
        if rows == 0:
            raise UserFailure(Reason.BAD_DATA, f"{SQL_FIELD} gives no rows: look at its conditions and at the sources")
        reporter.report("Checking", 60, f"{rows} rows, {len(task.expectations)} expectations")
        findings = schema_findings(task.data_schema, columns)
        current_rows = current.manifest.rows if current.manifest else None
        failed = failed_expectations(connection, task.expectations, columns, rows, current_rows)
        reporter.report("Splitting", 70, task.splits.strategy)
        with blamed("spec.splits"):
            splits = {}
            for name, condition in split_conditions(connection, task.splits, columns, rows).items():
                path = folder / f"{name}.parquet"
                splits[name] = (path, write_split(connection, columns, condition, path))
            return Prepared(columns, rows, splits, logical_digest(connection, columns), failed, findings)


def _publish(
    task: DatasetTask,
    store: Store,
    prepared: Prepared,
    inputs: str,
    recipe: str,
    checked_at: str,
    reporter: Reporter,
) -> DatasetManifest:
    reporter.report("Publishing", 80, f"{len(prepared.splits)} files")
    files: list[BlobFile] = []
    for name, (path, rows) in prepared.splits.items():
        files.append(publish_split(store, path, name, rows))
    train, _ = prepared.splits["train"]
    reporter.report("Profiling", 90, f"{len(prepared.columns)} columns")
    return DatasetManifest(
        files=files,
        columns=prepared.columns,
        rows=prepared.rows,
        profile_digest=publish_profile(store, train, prepared.columns, task.bins, task.max_categories),
        logical_digest=prepared.logical,
        inputs_digest=inputs,
        recipe_digest=recipe,
        created_at=checked_at,
        checked_at=checked_at,
    )


def _decide(
    versions: Versions, manifest: DatasetManifest, prepared: Prepared, current: Current, key: str
) -> DatasetResult:
    """The gate: promotes the candidate, or quarantines it and leaves the current version as it is."""
    digest = versions.publish(manifest)
    failing = [item.name for item in prepared.failed if item.severity == "fail"]
    ref = CurrentRef(digest=digest, build_key=key, promoted_at=manifest.created_at, failed=failing)
    changed = current.manifest is None or current.manifest.logical_digest != manifest.logical_digest
    result = describe(manifest, digest, manifest.checked_at, prepared.failed, prepared.findings)
    result = result.model_copy(update={"content_changed": changed})
    if failing or prepared.findings:
        rejected = result.model_copy(update={"outcome": "Quarantined"})
        versions.quarantine(ref, rejected, current)
        return rejected
    versions.promote(ref, current)
    return result.model_copy(update={"outcome": "Promoted"})
