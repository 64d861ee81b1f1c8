"""The gate: champion and challenger predict the same labelled rows, newer than all the challenger was trained on."""

import tempfile
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

import pyarrow as pa

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.results import GateResult
from modelyard.contract.store import captures, labels
from modelyard.contract.tasks import GateTask, ModelTask
from modelyard_drift.bootstrap import RESAMPLES, improvement_bound
from modelyard_drift.captured import labelled_rows
from modelyard_drift.duel import predicted
from modelyard_drift.labels import labels_since
from modelyard_drift.report import GateReport, report_path
from modelyard_kit.failure import UserFailure
from modelyard_kit.model import LoadedModel, load_model
from modelyard_kit.progress import Reporter
from modelyard_kit.scoring import better_by, score
from modelyard_kit.store import Store

MOST_ROWS = 20_000  # the newest; a bootstrap of more takes minutes and decides the same


def gate(task: GateTask, reporter: Reporter) -> GateResult:
    """Promote where the challenger is better beyond doubt, else Refuse; InsufficientData where rows are missing."""
    now, store = datetime.now(UTC), Store(task.store)
    with tempfile.TemporaryDirectory() as name:
        champion = _load(store, task, task.champion, Path(name) / "champion")
        challenger = _load(store, task, task.challenger, Path(name) / "challenger")
    _check_captured(champion.manifest, challenger.manifest)
    reporter.report("Reading", 20, f"rows captured after {task.newer_than}")
    rows = _labelled(store, task, champion.manifest, challenger.manifest)
    path = report_path(task, "gate", task.challenger.model_digest, now, "json")
    result = GateResult(
        verdict="InsufficientData",
        metric=task.metric,
        rows=rows.num_rows,
        message=(
            f"{rows.num_rows} labelled rows were captured after {task.newer_than}, "
            f"spec.retrain.gate.newerRows asks for {task.rows}: the decision waits"
        ),
        report=path,
    )
    if rows.num_rows >= task.rows:
        reporter.report("Judging", 50, f"{rows.num_rows} labelled rows")
        result = _judged(task, champion, challenger, rows, result)
    _write(store, task, result, rows)
    reporter.report("Done", 100, f"{result.verdict}: {result.message}")
    return result


def _load(store: Store, task: GateTask, model: ModelTask, folder: Path) -> LoadedModel:
    return load_model(store, task.namespace, model.training_job, model.model_digest, folder, bool(task.allow_unsafe))


def _check_captured(*models: ModelManifest) -> None:
    """Raises UserFailure where a model takes what no captured row holds: its answers to the rest would mean nothing."""
    for model in models:
        for column in model.features:
            if column.pii:
                raise UserFailure(
                    Reason.CONFIG_ERROR,
                    f"feature {column.name} is in columns.pii of Dataset {model.dataset_name}, so it is not captured "
                    "and no gate can ask the models again: leave it out in transform.sql, or approve a model yourself "
                    "(spec.model.follow: Pinned)",
                )


def _labelled(store: Store, task: GateTask, champion: ModelManifest, challenger: ModelManifest) -> pa.Table:
    """Labels come first: the newest rows may be too young to have any."""
    since, kind = datetime.fromisoformat(task.newer_than), champion.task
    known = labels_since(store, labels(task.namespace, task.deployment), since, kind)
    names = {column.name for column in champion.features}
    features = [*champion.features, *(column for column in challenger.features if column.name not in names)]
    prefix = captures(task.namespace, task.deployment)
    return labelled_rows(store, prefix, features, kind, since, MOST_ROWS, known)


def _judged(
    task: GateTask, champion: LoadedModel, challenger: LoadedModel, rows: pa.Table, waiting: GateResult
) -> GateResult:
    outcomes = predicted(champion, challenger, rows)
    before, after = (score(task.metric, outcome) for outcome in outcomes)
    lower = improvement_bound(task.metric, *outcomes, task.confidence)
    if not all(isfinite(value) for value in (before, after, lower)):
        message = f"{task.metric} is undefined on the {waiting.rows} labelled rows: their labels are all the same"
        return waiting.model_copy(update={"message": message})
    difference = better_by(task.metric, after, before)
    promote = lower > task.min_improvement
    message = (
        f"on {waiting.rows} labelled rows captured after {task.newer_than} the new model's {task.metric} is "
        f"{after:.4g}, the serving one's {before:.4g}: {abs(difference):.4g} {'better' if difference >= 0 else 'worse'}"
        f"; with {task.confidence:.0%} confidence the improvement is at least {lower:.4g}, "
        f"{'more than' if promote else 'not above'} the {task.min_improvement:g} that is asked for"
    )
    figures = {"champion": before, "challenger": after, "difference": difference, "lower": lower}
    return waiting.model_copy(update={**figures, "verdict": "Promote" if promote else "Refuse", "message": message})


def _write(store: Store, task: GateTask, result: GateResult, rows: pa.Table) -> None:
    times = rows["time"]
    document = GateReport(
        result=result,
        champion_digest=task.champion.model_digest,
        challenger_digest=task.challenger.model_digest,
        newer_than=task.newer_than,
        first=times[0].as_py().isoformat() if len(times) else None,
        last=times[-1].as_py().isoformat() if len(times) else None,
        confidence=task.confidence,
        min_improvement=task.min_improvement,
        resamples=RESAMPLES,
    )
    store.put_document(result.report or "", document)
