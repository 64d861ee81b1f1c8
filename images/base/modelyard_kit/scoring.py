"""The metrics of the contract: one definition, so that training, checks and the gate can be compared.

numpy only where a bootstrap scores thousands of resamples; the tests hold them against scikit-learn.
f1: of the second class where there are two, else the unweighted mean over classes. rocAuc: one against the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from modelyard.contract.manifest import LOWER_IS_BETTER, MetricName

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

CLASSIFICATION: tuple[MetricName, ...] = ("accuracy", "f1", "rocAuc", "logLoss")
REGRESSION: tuple[MetricName, ...] = ("mae", "rmse", "r2")
SMALLEST = 1e-15  # a probability of 0 for what happened would be an infinite loss


@dataclass(frozen=True)
class Outcome:
    """Truth and prediction of the same rows: codes of classes, or floats of a regression (then `classes` is 0).

    Codes from `classes` on are classes that the model does not know. `probabilities` is rows x classes.
    """

    truth: Array
    predicted: Array
    classes: int = 0
    probabilities: Floats | None = None

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: Array) -> "Outcome":
        chosen = None if self.probabilities is None else self.probabilities[rows]
        return Outcome(self.truth[rows], self.predicted[rows], self.classes, chosen)


def classification(
    truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str], probabilities: Floats | None = None
) -> Outcome:
    """The outcome of a classifier; `classes` in the order of the probabilities' columns."""
    unknown = sorted({*truth, *predicted} - set(classes))
    codes = {name: code for code, name in enumerate([*classes, *unknown])}
    return Outcome(
        np.asarray([codes[name] for name in truth], dtype=np.int64),
        np.asarray([codes[name] for name in predicted], dtype=np.int64),
        len(classes),
        probabilities,
    )


def regression(truth: Sequence[float], predicted: Sequence[float]) -> Outcome:
    return Outcome(np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64))


def score(metric: MetricName, outcome: Outcome) -> float:
    """A metric; NaN where it is undefined: no rows, a single class for rocAuc, no probabilities, constant truth."""
    if not len(outcome) or (metric in CLASSIFICATION) != bool(outcome.classes):
        return float("nan")
    return float(_SCORES[metric](outcome))


def scores(outcome: Outcome) -> dict[str, float]:
    """Every metric of the task that is defined."""
    found = {name: score(name, outcome) for name in (CLASSIFICATION if outcome.classes else REGRESSION)}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def better_by(metric: MetricName, value: float, baseline: float) -> float:
    """How much `value` is better than `baseline`: positive is better, whatever the metric."""
    return baseline - value if metric in LOWER_IS_BETTER else value - baseline


def _accuracy(outcome: Outcome) -> float:
    return float(np.mean(outcome.truth == outcome.predicted))


def _f1(outcome: Outcome) -> float:
    known = int(max(outcome.classes, outcome.truth.max() + 1, outcome.predicted.max() + 1))
    hits = np.bincount(outcome.truth[outcome.truth == outcome.predicted], minlength=known)
    either = np.bincount(outcome.truth, minlength=known) + np.bincount(outcome.predicted, minlength=known)
    each = np.divide(2.0 * hits, either, out=np.zeros(known), where=either > 0)
    return float(each[1]) if outcome.classes == 2 else float(each[either > 0].mean())


def _roc_auc(outcome: Outcome) -> float:
    if outcome.probabilities is None:
        return float("nan")
    wanted = [1] if outcome.classes == 2 else range(outcome.classes)
    areas = [_area(outcome.truth == code, outcome.probabilities[:, code]) for code in wanted]
    defined = [area for area in areas if np.isfinite(area)]
    return float(np.mean(defined)) if defined else float("nan")


def _area(positive: Array, ranked: Floats) -> float:
    """The area under the ROC curve as the Mann-Whitney statistic, ties counted half."""
    hits = int(positive.sum())
    misses = len(positive) - hits
    if not hits or not misses:
        return float("nan")
    return float((rankdata(ranked)[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


def _log_loss(outcome: Outcome) -> float:
    if outcome.probabilities is None:
        return float("nan")
    known = outcome.truth < outcome.classes
    given = outcome.probabilities[np.arange(len(outcome)), np.where(known, outcome.truth, 0)]
    return float(-np.log(np.clip(np.where(known, given, 0.0), SMALLEST, 1.0)).mean())


def _mae(outcome: Outcome) -> float:
    return float(np.abs(outcome.truth - outcome.predicted).mean())


def _rmse(outcome: Outcome) -> float:
    return float(np.sqrt(np.square(outcome.truth - outcome.predicted).mean()))


def _r2(outcome: Outcome) -> float:
    spread = np.square(outcome.truth - outcome.truth.mean()).sum()
    return float(1 - np.square(outcome.truth - outcome.predicted).sum() / spread) if spread > 0 else float("nan")


_SCORES = {
    "accuracy": _accuracy,
    "f1": _f1,
    "rocAuc": _roc_auc,
    "logLoss": _log_loss,
    "mae": _mae,
    "rmse": _rmse,
    "r2": _r2,
}
