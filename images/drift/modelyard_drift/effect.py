"""How far a window's distribution lies from the reference's, in reference standard deviations.

Numbers: the Wasserstein distance of the binned values on normal scores, i.e. with each bin at the place that its
rank in the reference has in a standard normal distribution. A shift of a normal column by d standard deviations
gives about d; units, skew and a single outlier in the reference do not matter (a raw Wasserstein distance is blind
behind one). Categories: Cohen's w (Cohen 1988, ch. 7) against the mean of both shares, so that a category on one
side only stays finite; 2 at most. By both, 0.1 is small and 0.5 is large.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[Any]  # integers; the last axis is the bins or categories


def normal_scores(reference: Counts) -> Floats:
    """The place of each bin: the normal quantile of its mid-rank, between +-2.6 for 100 rows and +-4.4 for 100,000."""
    total = reference.sum()
    middle = np.cumsum(reference) - reference / 2
    return np.asarray(norm.ppf((middle + 0.5) / (total + 1)), dtype=np.float64)


def wasserstein(reference: Counts, window: Counts, places: Floats) -> Floats:
    """Of counts on the same bins, along the last axis; leading axes are broadcast."""
    apart = np.cumsum(_shares(reference) - _shares(window), axis=-1)[..., :-1]
    return np.asarray((np.abs(apart) * np.diff(places)).sum(axis=-1), dtype=np.float64)


def cohens_w(reference: Counts, window: Counts) -> Floats:
    """Of counts of the same categories, along the last axis; leading axes are broadcast."""
    before, now = _shares(reference), _shares(window)
    mean = (before + now) / 2
    terms = np.divide(np.square(now - before), mean, out=np.zeros_like(mean), where=mean > 0)
    return np.asarray(np.sqrt(terms.sum(axis=-1)), dtype=np.float64)


def _shares(counts: Counts) -> Floats:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True), dtype=np.float64)
