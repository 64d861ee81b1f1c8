"""Data drift: each column of the window against the profile of the rows the model was trained on.

A column has drifted where its effect is worth mentioning (effect floor) and beyond chance at this window size.
The rate of false alarms is of all columns of a check together (Bonferroni).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from modelyard.contract.document import Document
from modelyard.contract.profile import CategoricalProfile, ColumnProfile, NumericProfile
from modelyard.contract.results import ColumnDrift
from modelyard.contract.tasks import DataDriftTask
from modelyard_drift.chance import Effect, chance_effect
from modelyard_drift.effect import Counts, cohens_w, normal_scores, wasserstein
from modelyard_kit.histogram import known_counts, numbers, numeric_counts

FEWEST_ROWS = 30  # present values on either side; below, a distribution is not compared
COMMON = 5  # rows of a category in the reference; rarer ones stand together with the ones it missed by chance
POWER_80 = 0.84  # normal quantile: an effect so many standard errors above the threshold is found 4 times of 5


class ColumnEvidence(Document):
    """One column's comparison. `rows` are those with a value; `chance` is what an unchanged column may reach."""

    column: str
    method: str
    effect: float
    chance: float
    threshold: float  # the larger of chance and the effect floor
    detectable: float  # an effect of this size is found 4 times of 5
    rows: int
    reference_rows: int

    @property
    def drifted(self) -> bool:
        return self.effect > self.threshold

    def finding(self) -> ColumnDrift:
        return ColumnDrift(column=self.column, method=self.method, effect=self.effect, threshold=self.threshold)


def compare(profiles: Sequence[ColumnProfile], window: pa.Table, task: DataDriftTask) -> list[ColumnEvidence]:
    """Largest excess over its threshold first. Columns of too few values, or not in the window, are left out."""
    counted = [(profile, *_counts(profile, window[profile.name])) for profile in profiles if _there(profile, window)]
    enough = [c for c in counted if min(c[1].sum(), c[2].sum()) >= FEWEST_ROWS]
    rate = task.false_alarm_rate / max(1, len(enough))
    found = [_evidence(*item, task.effect_floor, rate) for item in enough]
    return sorted(found, key=lambda e: (e.threshold - e.effect, e.column))


def _there(profile: ColumnProfile, window: pa.Table) -> bool:
    return profile.name in window.column_names and profile.count > profile.nulls


def _counts(profile: ColumnProfile, values: pa.ChunkedArray) -> tuple[Counts, Counts]:
    """Reference and window on the same bins: under, bins, over; or the common categories and all others."""
    if profile.kind == "numeric":
        numeric = profile.numeric or NumericProfile()
        return np.asarray(numeric.counts), np.asarray(numeric_counts(numbers(values), numeric.edges))
    categorical = profile.categorical or CategoricalProfile()
    common = {name: count for name, count in categorical.top.items() if count >= COMMON}
    rare = profile.count - profile.nulls - sum(common.values())
    known, others = known_counts(values, list(common))
    return np.asarray([*common.values(), rare]), np.asarray([*known, others])


def _evidence(profile: ColumnProfile, reference: Counts, window: Counts, floor: float, rate: float) -> ColumnEvidence:
    rows, reference_rows = int(window.sum()), int(reference.sum())
    numeric = profile.kind == "numeric"
    effect: Effect = partial(wasserstein, places=normal_scores(reference)) if numeric else cohens_w
    chance = chance_effect(reference, rows, effect, rate)
    threshold = max(floor, chance)
    error = float(np.sqrt(1 / rows + 1 / reference_rows))
    return ColumnEvidence(
        column=profile.name,
        method="wasserstein" if numeric else "cohens-w",
        effect=float(effect(reference, window)),
        chance=chance,
        threshold=threshold,
        detectable=threshold + POWER_80 * error,
        rows=rows,
        reference_rows=reference_rows,
    )
