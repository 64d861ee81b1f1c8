"""`modelyard crds`: write the CustomResourceDefinitions, or check that a folder holds them as they are."""

import argparse
import sys
from pathlib import Path

from modelyard.cli.commands import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser("crds", help="write the CustomResourceDefinitions")
    parser.add_argument("directory", nargs="?", type=Path, default=Path("crds"), help="where (default: crds)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file differs")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    from modelyard.api import crd

    if arguments.check:
        stale = crd.differing(arguments.directory)
        for path in stale:
            print(f"{path} is not what the types generate: run `modelyard crds {path.parent}`", file=sys.stderr)
        return 1 if stale else 0
    for path in crd.write(arguments.directory):
        print(path)
    return 0
