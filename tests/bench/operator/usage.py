"""What a process has used, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """`cpu_s`: user and system time of all threads since the start, in seconds. Memory in MB of 10^6 bytes."""

    cpu_s: float
    rss_mb: float
    pss_mb: float


def usage(pid: int) -> Usage:
    """Raises FileNotFoundError or ProcessLookupError where there is no such process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    memory = rollup(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return Usage((int(fields[11]) + int(fields[12])) / _TICKS, memory["Rss"], memory["Pss"])


def rollup(text: str) -> dict[str, float]:
    """The lines `Name:   123 kB` of smaps_rollup, in MB."""
    pairs = (line.split() for line in text.splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): int(kilobytes) * 1024 / 1e6 for name, kilobytes, _ in pairs}
