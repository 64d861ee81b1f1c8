"""`modelyard version`."""

import argparse

from modelyard.cli.commands import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser("version", help="print the version")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    from importlib.metadata import version

    print(version("modelyard"))
    return 0
