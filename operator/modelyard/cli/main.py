"""The `modelyard` program. Each command is a file beside this one and imports what it needs only when it runs."""

import argparse
from collections.abc import Sequence

from modelyard.cli import crds, run, version

_COMMANDS = (run, crds, version)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="modelyard", description="From data to a model that stays good.")
    commands = result.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.register(commands)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 success, 1 failure, 2 wrong use."""
    chosen = parser().parse_args(arguments)
    result: int = chosen.call(chosen)
    return result
