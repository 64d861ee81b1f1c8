"""Figures from what programs and the kernel tell."""

import os
import time

import pytest

from tests.bench.operator.burst import percentile
from tests.bench.operator.metrics import operator_writes, samples
from tests.bench.operator.usage import rollup, usage

TEXT = """# HELP modelyard_api_writes_total Writes sent to the API server.
# TYPE modelyard_api_writes_total counter
modelyard_api_writes_total{verb="apply"} 40.0
modelyard_api_writes_total{verb="patch_status"} 60.0
modelyard_api_writes_created{verb="apply"} 1.7e+09
workqueue_depth{name="modelyard"} 7.0
modelyard_leader 1.0
"""


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7], 50, 7), ([3, 1, 2], 50, 2), (range(1, 101), 99, 99), (range(1, 1001), 99, 990), ([1, 2], 99, 2)],
)
def test_percentile_is_the_nearest_rank(values: list[float], percent: float, expected: float) -> None:
    assert percentile(list(values), percent) == expected


def test_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_writes_are_counted_by_verb() -> None:
    assert operator_writes(TEXT) == {"apply": 40, "patch_status": 60}


def test_metric_with_a_longer_name_is_another_one() -> None:
    assert list(samples(TEXT, "workqueue").values()) == []
    assert list(samples(TEXT, "modelyard_leader").values()) == [1]


def test_memory_is_in_megabytes() -> None:
    text = "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:           117188 kB\nPss:   58594 kB\n"
    assert {name: round(value) for name, value in rollup(text).items()} == {"Rss": 120, "Pss": 60}


def test_usage_counts_the_time_a_process_works() -> None:
    before, end = usage(os.getpid()), time.process_time() + 0.1
    while time.process_time() < end:
        pass
    after = usage(os.getpid())
    assert 0.05 <= after.cpu_s - before.cpu_s < 5
    assert 0 < after.pss_mb <= after.rss_mb
