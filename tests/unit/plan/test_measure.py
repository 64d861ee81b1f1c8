"""Measures of a canary: what the servers counted, and what may be said about it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.api.serving import Check
from modelyard.contract.progress import LATENCY_BOUNDS_MS, ServingStats, VariantStats
from modelyard.plan.measure import decimal, explain_check, measure, merged, quantile

BINS = len(LATENCY_BOUNDS_MS) + 1


def variant(requests: int = 0, errors: int = 0, bin_: int = 2) -> VariantStats:
    latency = [0] * BINS
    latency[bin_] = requests
    return VariantStats(requests=requests, errors=errors, latency=latency)


def stats(stable: VariantStats, candidate: VariantStats, compared: int = 0, disagreed: int = 0) -> ServingStats:
    return ServingStats(epoch="r/0", stable=stable, candidate=candidate, compared=compared, disagreed=disagreed)


def test_figures_of_all_pods_are_added_up() -> None:
    one = stats(variant(90), variant(10, errors=1), compared=10, disagreed=2)
    total = merged([one.wire(), one.wire()], "r/0")
    assert (total.stable.requests, total.candidate.requests, total.candidate.errors) == (180, 20, 2)
    assert (total.compared, total.disagreed, total.stable.latency[2]) == (20, 4, 180)


def test_figures_of_another_step_are_left_out() -> None:
    assert merged([stats(variant(90), variant(10)).wire()], "r/1").candidate.requests == 0


def test_progress_of_a_pod_is_no_statistics() -> None:
    assert merged([{"stage": "Serving", "percent": 0}], "r/0").candidate.requests == 0


@pytest.mark.parametrize(
    ("check", "seen", "verdict", "value"),
    [
        (Check(metric="errorRate", max="0.1"), stats(variant(), variant(20, errors=2)), "Pass", "0.1"),
        (Check(metric="errorRate", max="0.1"), stats(variant(), variant(20, errors=3)), "Fail", "0.15"),
        (Check(metric="errorRate", max="0.1"), stats(variant(), variant(19, errors=19)), "Inconclusive", "1"),
        (Check(metric="errorRate", max_ratio="2"), stats(variant(100, 10), variant(20, 4)), "Pass", "0.2"),
        (Check(metric="errorRate", max_ratio="2"), stats(variant(100, 10), variant(20, 5)), "Fail", "0.25"),
        (Check(metric="errorRate", max_ratio="2"), stats(variant(19, 1), variant(20, 5)), "Inconclusive", "0.25"),
        (Check(metric="disagreement", max="0.3"), stats(variant(), variant(), 20, 6), "Pass", "0.3"),
        (Check(metric="disagreement", max="0.3"), stats(variant(), variant(), 20, 7), "Fail", "0.35"),
        (Check(metric="disagreement", max="0.3"), stats(variant(), variant(50), 19, 19), "Inconclusive", "1"),
        (Check(metric="p99Ms", max="8"), stats(variant(), variant(20, bin_=2)), "Pass", "3.98"),
        (Check(metric="p99Ms", max="8"), stats(variant(), variant(20, bin_=5)), "Fail", "31.84"),
        (Check(metric="p99Ms", max_ratio="1.5"), stats(variant(20, 0, 3), variant(20, 0, 4)), "Fail", "15.92"),
        (Check(metric="p99Ms", max_ratio="2.5"), stats(variant(20, 0, 3), variant(20, 0, 4)), "Pass", "15.92"),
        (
            Check(metric="p99Ms", max="10", max_ratio="2.5"),
            stats(variant(20, 0, 3), variant(20, 0, 4)),
            "Fail",
            "15.92",
        ),
    ],
)
def test_a_measure_is_judged_by_its_limits(check: Check, seen: ServingStats, verdict: str, value: str) -> None:
    measured = measure(check, seen, min_requests=20)
    assert (measured.verdict, measured.value) == (verdict, value)


def test_a_failure_over_max_is_said_even_while_the_ratio_is_open() -> None:
    check = Check(metric="errorRate", max="0.1", max_ratio="2")
    assert measure(check, stats(variant(), variant(20, errors=20)), 20).verdict == "Fail"


def test_a_failed_measure_is_explained_with_all_limits() -> None:
    check = Check(metric="errorRate", max="0.1", max_ratio="2")
    measured = measure(check, stats(variant(100, 10), variant(20, 5)), 20)
    text = explain_check(check, measured)
    assert text == "errorRate is 0.25, allowed is 0.1 and 2 times the stable revision's 0.1"


@given(st.lists(st.integers(0, 10**6), min_size=BINS, max_size=BINS), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bin_that_holds_its_rank(counts: list[int], share: float) -> None:
    found = quantile(counts, share)
    if not sum(counts):
        assert found == 0
        return
    bounds = (*LATENCY_BOUNDS_MS, LATENCY_BOUNDS_MS[-1])
    holding = [b for i, b in enumerate(bounds) if counts[i] and sum(counts[: i + 1]) >= share * sum(counts)]
    assert 0 < found <= holding[0]


@given(st.floats(0, 1e9))
def test_decimals_are_what_the_api_takes(value: float) -> None:
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", decimal(value))
    assert float(decimal(value)) == pytest.approx(value, abs=6e-5)
