"""The statistics: silent where nothing changed, at any window size; loud where something did."""

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.contract.manifest import Column
from modelyard.contract.profile import ColumnProfile
from modelyard.contract.tasks import DataDriftTask
from modelyard_drift import drift
from modelyard_drift.chance import Effect, chance_effect
from modelyard_drift.drift import ColumnEvidence, compare
from modelyard_drift.effect import cohens_w, normal_scores, wasserstein
from modelyard_kit.profile import profile_table

COLUMNS = [
    Column(name="normal", type="float64"),
    Column(name="skewed", type="float64"),
    Column(name="few", type="int64"),
    Column(name="colour", type="string"),
    Column(name="tail", type="string"),  # categories without end: some are always new
    Column(name="flag", type="bool"),
]
TASK = DataDriftTask(effect_floor=0.1, false_alarm_rate=0.01)


def _table(rng: np.random.Generator, rows: int, shift: float = 0.0, blue: float = 0.1) -> pa.Table:
    others = [(1 - blue) / 4] * 4
    return pa.table(
        {
            "normal": rng.normal(size=rows) + shift,
            "skewed": rng.lognormal(sigma=2, size=rows),
            "few": rng.integers(0, 4, rows),
            "colour": rng.choice(["blue", "red", "green", "pink", "grey"], rows, p=[blue, *others]),
            "tail": rng.zipf(1.5, rows).astype(str),
            "flag": rng.random(rows) < 0.03,
        }
    )


@cache
def _profiles(rows: int) -> list[ColumnProfile]:
    return profile_table(_table(np.random.default_rng(1), rows), COLUMNS).columns


@pytest.fixture(autouse=True)
def chance_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It depends on reference and window size only, and these tests ask many times."""
    known: dict[tuple[bytes, int, float], float] = {}

    def remembered(reference: npt.NDArray[np.int64], rows: int, effect: Effect, rate: float) -> float:
        key = (reference.tobytes(), rows, rate)
        if key not in known:
            known[key] = chance_effect(reference, rows, effect, rate)
        return known[key]

    monkeypatch.setattr(drift, "chance_effect", remembered)


def _alarms(
    trials: int, reference: int, window: Callable[[np.random.Generator], pa.Table]
) -> list[list[ColumnEvidence]]:
    rng = np.random.default_rng(2)
    found = [compare(_profiles(reference), window(rng), TASK) for _ in range(trials)]
    return [[evidence for evidence in each if evidence.drifted] for each in found]


@pytest.mark.parametrize("reference", [300, 5000])
@pytest.mark.parametrize("rows", [50, 200, 1000, 5000])
def test_an_unchanged_distribution_gives_hardly_any_alarm(reference: int, rows: int) -> None:
    """The rate is 1 % of checks; one reference may be unlucky, so up to 6 % of 100 are accepted."""
    alarms = _alarms(100, reference, lambda rng: _table(rng, rows))
    assert sum(map(bool, alarms)) <= 6, [e.column for each in alarms for e in each]


@pytest.mark.parametrize(
    ("rows", "shift", "blue", "column"),
    [(500, 0.5, 0.1, "normal"), (1000, 0.3, 0.1, "normal"), (2000, 0.0, 0.18, "colour")],
)
def test_a_real_change_is_found_and_ranked_first(rows: int, shift: float, blue: float, column: str) -> None:
    alarms = _alarms(60, 5000, lambda rng: _table(rng, rows, shift, blue))
    assert sum(bool(each) and each[0].column == column for each in alarms) >= 57


def test_the_smallest_detectable_effect_shrinks_with_the_window() -> None:
    rng = np.random.default_rng(0)
    small, large = (
        max(e.detectable for e in compare(_profiles(5000), _table(rng, rows), TASK)) for rows in (100, 5000)
    )
    assert small > 2 * large > 0.2  # the floor stays


def test_an_effect_below_the_floor_is_never_reported() -> None:
    alarms = _alarms(1, 5000, lambda rng: _table(rng, 200_000, shift=0.05))
    assert alarms == [[]]


def test_an_outlier_in_the_reference_hides_nothing() -> None:
    rng = np.random.default_rng(0)
    column = [Column(name="x", type="float64")]
    reference = pa.table({"x": [*rng.normal(size=4999), 1e6]})
    [found] = compare(profile_table(reference, column).columns, pa.table({"x": rng.normal(size=500) + 0.8}), TASK)
    assert found.effect == pytest.approx(0.8, abs=0.15)


def test_another_unit_is_a_large_effect() -> None:
    rng = np.random.default_rng(0)
    [found] = compare(_profiles(5000)[:1], pa.table({"normal": rng.normal(size=500) * 1000}), TASK)
    assert found.effect > 1


def test_columns_without_values_are_left_out() -> None:
    rng = np.random.default_rng(0)
    window = _table(rng, 100).drop_columns(["few"]).set_column(0, "normal", pa.nulls(100, pa.float64()))
    assert {e.column for e in compare(_profiles(300), window, TASK)} == {"skewed", "colour", "tail", "flag"}


COUNTS = st.lists(st.integers(0, 1000), min_size=3, max_size=20).filter(any).map(np.asarray)


@settings(deadline=None)
@given(COUNTS, st.integers(1, 50))
def test_the_same_shares_have_no_effect_whatever_the_sizes(counts: npt.NDArray[np.int64], times: int) -> None:
    places = normal_scores(counts)
    assert np.isfinite(places).all()
    assert (np.diff(places) >= 0).all()
    assert wasserstein(counts, counts * times, places) == pytest.approx(0, abs=1e-9)
    assert cohens_w(counts, counts * times) == pytest.approx(0, abs=1e-6)


@settings(deadline=None)
@given(COUNTS)
def test_effects_are_bounded_and_symmetric_in_their_categories(counts: npt.NDArray[np.int64]) -> None:
    other = counts[::-1]
    assert 0 <= cohens_w(counts, other) <= 2
    assert cohens_w(counts, other) == pytest.approx(float(cohens_w(other, counts)))
    assert 0 <= wasserstein(counts, other, normal_scores(counts)) < 12
