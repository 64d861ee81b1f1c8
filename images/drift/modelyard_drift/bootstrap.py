"""How sure a metric is: resamples in blocks of time, as neighbouring rows of a stream resemble each other.

Circular block bootstrap (Politis and Romano 1992), blocks of sqrt(rows) rows. Outcomes are in time order.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.contract.manifest import MetricName
from modelyard_kit.scoring import Outcome, better_by, score

RESAMPLES = 2000


def interval(metric: MetricName, outcome: Outcome, confidence: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Both bounds of the metric, as percentiles; NaN where no resample defines it."""
    values = [score(metric, outcome.take(rows)) for rows in resamples(len(outcome), seed)]
    tail = (1 - confidence) / 2
    return _quantile(values, tail), _quantile(values, 1 - tail)


def improvement_bound(
    metric: MetricName, champion: Outcome, challenger: Outcome, confidence: float, seed: int = 0
) -> float:
    """The one-sided lower bound of how much better the challenger is; both on the same rows, resampled together."""
    differences = [
        better_by(metric, score(metric, challenger.take(rows)), score(metric, champion.take(rows)))
        for rows in resamples(len(champion), seed)
    ]
    return _quantile(differences, 1 - confidence)


def resamples(rows: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Row numbers of each of RESAMPLES resamples, as many as there are rows."""
    rng = np.random.default_rng(seed)
    block = max(1, round(rows**0.5))
    within = np.arange(block)
    for _ in range(RESAMPLES):
        starts = rng.integers(0, rows, size=-(-rows // block))
        yield ((starts[:, None] + within) % rows).ravel()[:rows]


def _quantile(values: list[float], share: float) -> float:
    defined: npt.NDArray[Any] = np.asarray(values)[np.isfinite(values)]
    return float(np.quantile(defined, share)) if defined.size else float("nan")
