"""`python -m tests.bench.serving`: prints a table and records a full run."""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from tests.bench import figures
from tests.bench.serving.grid import run
from tests.bench.serving.measure import Sizes

RESULTS = Path(__file__).parents[1] / "results" / "serving.json"
FULL = Sizes(rounds=5, seconds=2)


def main() -> int:
    top = argparse.ArgumentParser(
        prog="python -m tests.bench.serving",
        description="The model server beside a bare ASGI echo of the same bytes and other model servers, on two cores.",
        epilog="SECONDS_PER_ROW in the environment shortens each load (default: 2); then nothing is recorded.",
    )
    top.parse_args()
    shortened = os.environ.get("SECONDS_PER_ROW")
    rows = run(Sizes(FULL.rounds, float(shortened)) if shortened else FULL)
    Console(width=170).print(figures.table(rows))
    if not shortened:
        figures.write(RESULTS, "tests.bench.serving", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
