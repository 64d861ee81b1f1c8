"""Figures: each with what was promised of it, as rows of a table for people and of a file for who compares runs."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.table import Table


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


def write(path: Path, module: str, rows: Sequence[Row], **more: Any) -> None:
    """The result of a run of `module`; `more` is of that benchmark alone."""
    document = {
        "command": " ".join([f"python -m {module}", *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "rows": [row.wire() for row in rows],
        **more,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def table(rows: Sequence[Row]) -> Table:
    figures = Table("figure", "unit", "ours", "target", "met", "peer", "note")
    for row in rows:
        sign = "≤" if row.better == "lower" else "≥"
        peer = "" if row.peer is None else f"{row.peer:.2f} ({row.peer_name})"
        met = "yes" if row.met else "NO"
        figures.add_row(row.name, row.unit, f"{row.ours:.2f}", f"{sign} {row.target:g}", met, peer, row.note)
    return figures
