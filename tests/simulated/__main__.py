"""`python -m tests.simulated`: prints what was wrong in the end for each seed that fails, and how many did."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator

from tests.simulated.loop import looped
from tests.simulated.world import lived


def failures(first: int, many: int, groups: int, acts: int) -> Iterator[int]:
    for seed in range(first, first + many):
        try:
            found = asyncio.run(lived(seed, groups, acts)) + asyncio.run(looped(seed, groups, acts))
        except AssertionError as error:
            found = [str(error)]
        for line in found:
            print(f"seed {seed}: {line}", flush=True)
        if found:
            yield seed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulated", description="Random faults, in memory.")
    parser.add_argument("--seed", type=int, default=1, help="the first one (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--groups", type=int, default=1, help="of 4 objects (default: %(default)s)")
    parser.add_argument("--acts", type=int, default=40, help="of users (default: %(default)s)")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    failed = list(failures(given.seed, given.seeds, given.groups, given.acts))
    print(f"{len(failed)} of {given.seeds} seeds failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
