"""Rows as they are shown and written."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.figures import Row
from tests.bench.operator import results
from tests.bench.operator.burst import Burst
from tests.bench.operator.measure import Measured
from tests.bench.operator.rows.burst import compared
from tests.bench.operator.rows.cost import cost


def measured(name: str, complete_s: float, p50_s: float) -> Measured:
    burst = Burst(count=100, created_s=0.5, complete_s=complete_s, p50_s=p50_s, p99_s=complete_s)
    return Measured(name, burst, controller_cpu_s=1.2, server_cpu_s=7, writes=1200)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", "s", 2.0, 2.0), True),
        (Row("a", "s", 2.1, 2.0), False),
        (Row("a", "x", 2.0, 2.0, "higher"), True),
        (Row("a", "x", 1.9, 2.0, "higher"), False),
        (Row("a", "s", float("nan"), 2.0), False),
    ],
)
def test_target_is_met_on_its_good_side_and_at_the_bound(row: Row, met: bool) -> None:
    assert row.met is met


def test_bursts_become_ratios_to_the_floor_and_to_the_peer() -> None:
    rows = compared(measured("plain", 10, 8), measured("ours", 15, 16), measured("peer", 45, 40))
    assert [(round(r.ours, 2), r.peer, r.met) for r in rows] == [(1.5, 4.5, True), (2.0, 5.0, True), (3.0, 1.0, True)]


def test_without_a_peer_there_is_no_row_about_it() -> None:
    assert len(compared(measured("plain", 10, 8), measured("ours", 15, 16), None)) == 2


def test_cost_is_per_training_job() -> None:
    writes, cpu = cost(measured("ours", 15, 16), {"apply": 2, "patch_status": 3}, None)
    assert (writes.ours, round(cpu.ours, 3)) == (5.0, 12.0)


def test_file_holds_the_agreed_fields(tmp_path: Path) -> None:
    path = tmp_path / "results" / "operator.json"
    results.write(
        path, [Row("a", "s", 1.23456, 2, peer=3, peer_name="other")], [measured("plain", 10, 8)], {"apply": 2.0}
    )
    document = json.loads(path.read_text())
    assert {"command", "date", "machine", "rows"} <= set(document)
    assert document["rows"] == [
        {
            "name": "a",
            "unit": "s",
            "ours": 1.235,
            "peer": 3,
            "peer_name": "other",
            "target": 2,
            "better": "lower",
            "met": True,
            "note": "",
        }
    ]
    assert document["bursts"][0]["created_per_s"] == 200


def test_table_says_which_target_is_missed() -> None:
    console = Console(width=200, record=True)
    results.show(
        [Row("slow thing", "s", 3, 2), Row("quick thing", "s", 1, 2)],
        [measured("plain", 10, 8)],
        {"apply": 2.0},
        console,
    )
    lines = console.export_text().splitlines()
    assert next(line for line in lines if "slow thing" in line).split()[-4] == "NO"
    assert next(line for line in lines if "quick thing" in line).split()[-4] == "yes"
