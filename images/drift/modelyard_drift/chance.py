"""The effect that chance alone reaches: what a window of this size shows of an unchanged distribution.

The reference is itself a sample, so both sides are drawn anew from its histogram. Rows are drawn independently:
of a stream whose neighbouring rows are alike, chance reaches more than this says.
"""

from collections.abc import Callable

import numpy as np

from modelyard_drift.effect import Counts, Floats

FEWEST, MOST = 2_000, 20_000  # draws
BEYOND = 10  # draws above the quantile, where MOST allows

Effect = Callable[[Counts, Counts], Floats]


def chance_effect(reference: Counts, rows: int, effect: Effect, rate: float, seed: int = 0) -> float:
    """The effect that a share `rate` of unchanged windows of `rows` rows exceeds."""
    draws = int(np.clip(BEYOND / rate, FEWEST, MOST))
    rng = np.random.default_rng(seed)
    shares = _smoothed(reference)
    before = rng.multinomial(int(reference.sum()), shares, size=draws)
    now = rng.multinomial(rows, shares, size=draws)
    return float(np.quantile(effect(before, now), 1 - rate))


def _smoothed(reference: Counts) -> Floats:
    """Shares of the reference; what it happened not to hold is still possible, as half a row."""
    counts = np.where(reference == 0, 0.5, reference)
    return np.asarray(counts / counts.sum(), dtype=np.float64)
