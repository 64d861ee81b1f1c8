"""Broken data, as against drifted data: columns that are gone, empty, of another type, or hold unseen values.

A rate counts only where it exceeds its limit and chance: a few rows of a small window prove nothing.
"""

from collections.abc import Sequence

import pyarrow as pa
from scipy.stats import binomtest

from modelyard.contract.capture import FEATURE_PREFIX
from modelyard.contract.profile import ColumnProfile
from modelyard.contract.tasks import CheckTask
from modelyard_drift.captured import Captured
from modelyard_kit.histogram import NUMERIC, known_counts, numbers

RATE = 0.01  # of false findings of a check, all columns together


def quality_findings(
    profiles: Sequence[ColumnProfile], captured: Captured, window: pa.Table, task: CheckTask
) -> list[str]:
    """One sentence per broken column, those that are wholly unusable first. `window` has features by name."""
    retyped = {name.removeprefix(FEATURE_PREFIX): kind for name, kind in captured.retyped}
    gone, broken = [], []
    for profile in profiles:
        name = profile.name
        if FEATURE_PREFIX + name in captured.absent:
            gone.append(f"column {name} is missing in the captured rows")
        elif name in retyped:
            gone.append(f"column {name} came as {retyped[name]}, the model was trained on {profile.type}")
        elif name in window.column_names:
            found = _nulls(profile, window[name], task, RATE / len(profiles))
            found = found or _unseen(profile, window[name], task, RATE / len(profiles))
            broken += [found] if found else []
    return gone + broken


def _nulls(profile: ColumnProfile, values: pa.ChunkedArray, task: CheckTask, rate: float) -> str:
    rows = len(values)
    missing = rows - len(numbers(values)) if profile.type in NUMERIC else values.null_count
    before = profile.nulls / profile.count if profile.count else 0.0
    if not _more(missing, rows, before, profile.count, task.max_null_rate_increase, rate):
        return ""
    if missing == rows:
        return f"column {profile.name} is empty in all {rows} rows; in training {before:.0%} were"
    return (
        f"column {profile.name} is empty in {missing / rows:.0%} of {rows} rows, in training in {before:.0%}; "
        f"allowed is an increase by {task.max_null_rate_increase:.0%}"
    )


def _unseen(profile: ColumnProfile, values: pa.ChunkedArray, task: CheckTask, rate: float) -> str:
    """Values outside the profile's categories, beyond what is to be expected of a sample.

    Expected: the share that training had outside of them, too, else Good and Turing's estimate (1953) of what
    training missed, which is the share of values it saw once.
    """
    if profile.categorical is None:
        return ""
    seen = profile.categorical
    known, others = known_counts(values, list(seen.top))
    present, trained = sum(known) + others, max(1, profile.count - profile.nulls)
    before = (seen.other or sum(count == 1 for count in seen.top.values())) / trained
    if not present or not _more(others, present, before, trained, task.max_unseen_category_rate, rate):
        return ""
    return (
        f"column {profile.name} holds categories that training did not have in {others / present:.0%} of {present} "
        f"rows; allowed are {task.max_unseen_category_rate:.0%}"
    )


def _more(found: int, rows: int, before: float, trained: int, allowed: float, rate: float) -> bool:
    """Whether a share rose by more than `allowed`, and by more than chance gives at this `rate` of false findings."""
    if not rows or found / rows - before <= allowed:
        return False
    expected = max(before, 0.5 / max(trained, 1))  # training is a sample, too: what it had none of may be rare
    return bool(binomtest(found, rows, min(expected, 1.0), alternative="greater").pvalue < rate)
