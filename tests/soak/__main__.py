"""`python -m tests.soak`: a soak by hand. Prints a line every 10 seconds and a summary as JSON."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.soak import Settings, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Random faults and kills.")
    parser.add_argument("--seconds", type=float, default=Settings.seconds, help="under faults (default: %(default)g)")
    parser.add_argument("--kill-every", type=float, default=Settings.kill_every, help="seconds (default: %(default)g)")
    parser.add_argument("--act-every", type=float, default=Settings.act_every, help="seconds (default: %(default)g)")
    parser.add_argument("--groups", type=int, default=Settings.groups, help="of 4 objects (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--directory", type=Path, help="for logs (default: a new one)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything it started is stopped
    directory = given.directory or Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"logs are in {directory}", flush=True)
    settings = Settings(given.seconds, given.kill_every, given.act_every, given.groups, given.seed)
    report = run(settings, directory)
    print(report.json())
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
