"""`python -m tests.bench.operator`: prints a table, records a full run, fails where a figure leaves its range."""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tests.bench.operator import ranges, results
from tests.bench.operator.scenario import PARTS, Sizes, run

RESULTS = Path(__file__).parents[1] / "results" / "operator.json"
FULL = Sizes(jobs=1000, existing=4000, many=10_000, seconds=60)
SHORT = Sizes(jobs=300, existing=1000, many=2000, seconds=20)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m tests.bench.operator",
        description="The operator beside plain Jobs and Kubeflow Trainer, on a real API server with fake nodes.",
        epilog="SECONDS_PER_ROW in the environment shortens the rows that last (default: 60; 20 with --short).",
    )
    top.add_argument("--short", action="store_true", help="smaller and quicker")
    top.add_argument("--jobs", type=int, help="objects of a burst; without a recorded range, nothing is checked")
    top.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    return top


def sizes_of(arguments: argparse.Namespace, environment: Mapping[str, str]) -> tuple[str, Sizes]:
    """The name of the size and what it means."""
    sizes = SHORT if arguments.short else FULL
    if seconds := environment.get("SECONDS_PER_ROW"):
        sizes = replace(sizes, seconds=float(seconds))
    return "short" if arguments.short else "full", sizes


def main() -> int:
    arguments = parser().parse_args()
    name, sizes = sizes_of(arguments, os.environ)
    if arguments.jobs:
        sizes = replace(sizes, jobs=arguments.jobs)
    parts = arguments.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser().error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    report = run(sizes, parts)
    console = Console(width=170)
    results.show(report.rows, report.bursts, report.own_writes, console)
    if arguments.jobs:
        return 0
    if name == "full" and set(parts) == set(PARTS):
        results.write(RESULTS, report.rows, report.bursts, report.own_writes)
    problems = ranges.outside(report.rows, ranges.load(name))
    for problem in problems:
        console.print(problem, style="red")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
