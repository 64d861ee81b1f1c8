"""The bootstrap: its bounds hold as often as they claim, also where neighbouring rows resemble each other."""

import numpy as np
import pytest

from modelyard_drift import bootstrap
from modelyard_drift.bootstrap import improvement_bound, interval, resamples
from modelyard_kit.scoring import Outcome


def _outcome(right: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Outcome:
    return Outcome(np.ones(len(right), dtype=int), right.astype(int), classes=2)


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)


def test_every_resample_has_all_rows_of_blocks_in_time_order() -> None:
    for rows in resamples(50, seed=1):
        assert rows.shape == (50,)
        assert 0 <= rows.min() <= rows.max() < 50
        assert ((np.diff(rows[:7]) % 50) == 1).all()  # a block of sqrt(50) rows


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        lower, upper = interval("accuracy", _outcome(rng.random(400) < 0.8))
        covered += lower <= 0.8 <= upper
    assert covered >= 176  # 95 % of 200 is 190; the percentile bootstrap is a little too narrow


@pytest.mark.parametrize("sticky", [0.0, 0.8])
def test_an_equal_challenger_seldom_seems_better(sticky: float) -> None:
    """`sticky`: the share of rows that repeat the one before, as in a stream."""
    rng = np.random.default_rng(0)
    promoted = 0
    for _ in range(200):
        rights = []
        for _ in range(2):
            fresh = rng.random(400) < 0.7
            last = np.maximum.accumulate(np.where(rng.random(400) < sticky, 0, np.arange(400)))
            rights.append(fresh[last])
        promoted += improvement_bound("accuracy", _outcome(rights[0]), _outcome(rights[1]), 0.95) > 0
    assert promoted <= 24  # 5 % of 200 is 10, and the bound is a little too optimistic on 400 rows
