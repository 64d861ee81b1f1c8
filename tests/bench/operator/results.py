"""Figures as a table for people and as a file for whoever compares runs."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from tests.bench.operator.measure import Measured


@dataclass(frozen=True)
class Row:
    """One figure. `target` is the bound that was promised; `better` says on which side of it is good; `note`, what
    one has to know of this run to read the figure."""

    name: str
    unit: str
    ours: float
    target: float
    better: Literal["lower", "higher"] = "lower"
    peer: float | None = None
    peer_name: str | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.ours <= self.target if self.better == "lower" else self.ours >= self.target

    def wire(self) -> dict[str, Any]:
        peer = None if self.peer is None else round(self.peer, 3)
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": round(self.ours, 3),
            "peer": peer,
            "peer_name": self.peer_name,
            "target": self.target,
            "better": self.better,
            "met": self.met,
            "note": self.note,
        }


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"


def write(path: Path, rows: Sequence[Row], measured: Sequence[Measured], own_writes: Mapping[str, float]) -> None:
    """`own_writes` of our operator by verb, per TrainingJob."""
    document = {
        "command": " ".join(["python -m tests.bench.operator", *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "rows": [row.wire() for row in rows],
        "bursts": [_flat(each) for each in measured],
        "own_writes": {verb: round(count, 2) for verb, count in own_writes.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


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
    figures = Table("figure", "unit", "ours", "target", "met", "peer", "note")
    for row in rows:
        sign = "≤" if row.better == "lower" else "≥"
        peer = "" if row.peer is None else f"{row.peer:.2f} ({row.peer_name})"
        met = "yes" if row.met else "NO"
        figures.add_row(row.name, row.unit, f"{row.ours:.2f}", f"{sign} {row.target:g}", met, peer, row.note)
    console.print(figures)
