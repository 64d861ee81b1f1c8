"""Realised performance: predictions of the window against the labels that have come since.

Mature rows count: those with a label, and those old enough that theirs should have come; the latter lower the
coverage.
"""

from collections.abc import Sequence
from datetime import datetime
from math import isfinite

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.contract.capture import PREDICTION, SCORE
from modelyard.contract.manifest import ModelManifest
from modelyard.contract.results import PerformanceFinding
from modelyard.contract.tasks import PerformanceTask
from modelyard_drift.bootstrap import interval
from modelyard_drift.labels import TIME, label_of
from modelyard_kit.scoring import Outcome, better_by, classification, regression, score

FEWEST_LABELLED = 50
MOST_LABELLED = 50_000  # the newest; a bootstrap of more only makes a narrow interval narrower


def performance(
    rows: pa.Table, labels: pa.Table, manifest: ModelManifest, task: PerformanceTask, ripe_at: datetime, most: int
) -> tuple[PerformanceFinding | None, str]:
    """The finding on the newest `most` mature rows, or None and why there is none.

    `rows` newest first; those from before `ripe_at` are mature with or without a label.
    """
    rows = rows.append_column("label", label_of(rows["inference_id"], labels))
    mature = rows.filter(pc.field("label").is_valid() | (pc.field("time") <= pa.scalar(ripe_at, TIME))).slice(0, most)
    labelled = mature.filter(pc.field("label").is_valid() & pc.field(PREDICTION).is_valid())
    count, ripe = labelled.num_rows, mature.num_rows
    baseline = manifest.metrics.get(task.metric)
    if baseline is None:
        return None, f"the model has no {task.metric} on held-out data to compare with: choose another metric"
    if count < FEWEST_LABELLED:
        return None, f"{count} of {ripe} mature rows have labels, {FEWEST_LABELLED} are needed to judge predictions"
    newest = labelled.slice(0, MOST_LABELLED)
    outcome = outcome_of(newest.take(pa.array(np.arange(newest.num_rows)[::-1])), manifest)
    value = score(task.metric, outcome)
    if not isfinite(value):
        return None, f"{task.metric} cannot be computed from the captured rows: {_undefined(manifest)}"
    lower, upper = interval(task.metric, outcome)
    best = max(better_by(task.metric, bound, baseline) for bound in (lower, upper))
    return PerformanceFinding(
        metric=task.metric,
        baseline=baseline,
        value=value,
        lower=lower,
        upper=upper,
        rows=len(outcome),
        coverage=count / ripe,
        degraded=best < -task.max_drop,
    ), ""


def outcome_of(rows: pa.Table, manifest: ModelManifest) -> Outcome:
    """Labels and captured predictions of the rows."""
    truth, predicted = rows["label"].to_pylist(), rows[PREDICTION].to_pylist()
    if manifest.task == "regression":
        return regression([float(label) for label in truth], predicted)
    return classification(truth, predicted, manifest.classes, _probabilities(predicted, rows[SCORE], manifest.classes))


def _probabilities(
    predicted: Sequence[str], scores: pa.ChunkedArray, classes: Sequence[str]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]] | None":
    """Of both classes; of more the captured score of the predicted one does not tell the others'."""
    if len(classes) != 2 or scores.null_count:
        return None
    score_of_predicted = scores.to_numpy()
    second = np.where(np.asarray(predicted) == classes[1], score_of_predicted, 1 - score_of_predicted)
    return np.column_stack([1 - second, second])


def _undefined(manifest: ModelManifest) -> str:
    if len(manifest.classes) > 2:
        return "with more than two classes rocAuc needs every class's probability; use accuracy or f1"
    return "the labels are all the same, or the model gives no scores"
