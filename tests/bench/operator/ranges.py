"""The ranges that figures must keep, as Kueue's rangespec: a run outside of them fails."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from tests.bench.figures import Row

FILE = Path(__file__).with_name("ranges.yaml")


class Range(BaseModel):
    model_config = ConfigDict(extra="forbid")

    min: float = float("-inf")
    max: float = float("inf")


Ranges = dict[str, Range]  # by the figure's name


def load(size: str) -> Ranges:
    """Of a `full` or a `short` run."""
    return TypeAdapter(dict[str, Ranges]).validate_python(yaml.safe_load(FILE.read_text()))[size]


def outside(rows: Sequence[Row], ranges: Ranges) -> list[str]:
    """What is wrong, in words; a figure without a range is wrong, too."""
    return [problem for row in rows if (problem := _problem(row, ranges.get(row.name)))]


def _problem(row: Row, kept: Range | None) -> str | None:
    if kept is None:
        return f"{row.name}: {FILE.name} has no range for it"
    if kept.min <= row.ours <= kept.max:
        return None
    return f"{row.name}: {row.ours:.2f} {row.unit} is outside of {kept.min:g} to {kept.max:g}"
