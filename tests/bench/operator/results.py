"""The operator's figures and bursts as tables for people and as a file for whoever compares runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import figures
from tests.bench.figures import Row
from tests.bench.operator.measure import Measured


def write(path: Path, rows: Sequence[Row], measured: Sequence[Measured], own_writes: Mapping[str, float]) -> None:
    """`own_writes` of our operator by verb, per TrainingJob."""
    figures.write(
        path,
        "tests.bench.operator",
        rows,
        bursts=[_flat(each) for each in measured],
        own_writes={verb: round(count, 2) for verb, count in own_writes.items()},
    )


def _flat(each: Measured) -> dict[str, Any]:
    burst = each.burst
    return {
        "name": each.name,
        "count": burst.count,
        "created_per_s": round(burst.created_per_s),
        "complete_s": round(burst.complete_s, 1),
        "p50_s": round(burst.p50_s, 1),
        "p99_s": round(burst.p99_s, 1),
        "controller_cpu_ms_each": round(each.controller_cpu_ms_each, 1),
        "api_server_cpu_s": round(each.server_cpu_s, 1),
        "api_writes_each": round(each.writes / burst.count, 1),
    }


def show(rows: Sequence[Row], measured: Sequence[Measured], own_writes: Mapping[str, float], console: Console) -> None:
    if measured:
        flat = [_flat(each) for each in measured]
        bursts = Table(*(name.replace("_", " ") for name in flat[0]))
        for each in flat:
            bursts.add_row(*map(str, each.values()))
        console.print(bursts)
    if own_writes:
        console.print("own writes per TrainingJob:", {verb: round(count, 2) for verb, count in own_writes.items()})
    console.print(figures.table(rows))
