"""`modelyard run`: the operator."""

import argparse
import sys
from pathlib import Path

from modelyard.cli.commands import Commands

_FORMATS = ("json", "text")
_LEVELS = ("debug", "info", "warning", "error")


def register(commands: Commands) -> None:
    parser = commands.add_parser("run", help="run the operator")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings, YAML or JSON")
    parser.add_argument(
        "--namespace", action="append", default=[], metavar="NS", help="serve only this one; may be repeated"
    )
    parser.add_argument("--dev", action="store_true", help="on a terminal: no leader election, text logs")
    parser.add_argument("--log-format", choices=_FORMATS, help="(default: the file's logFormat, else json)")
    parser.add_argument("--log-level", choices=_LEVELS, help="(default: the file's logLevel, else info)")
    parser.set_defaults(call=call)


def call(arguments: argparse.Namespace) -> int:
    import asyncio
    import logging
    from dataclasses import replace

    from modelyard.runtime import config, logs

    try:
        loaded = config.load(arguments.config)
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.namespace:
        runtime = loaded.runtime.model_copy(update={"namespaces": tuple(arguments.namespace)})
        loaded = replace(loaded, runtime=runtime)
    form = arguments.log_format or ("text" if arguments.dev else loaded.runtime.log_format)
    logs.configure(arguments.log_level or loaded.runtime.log_level, form)

    from modelyard.plan.kinds import PLANNERS
    from modelyard.runtime.app import serve

    try:
        asyncio.run(serve(loaded, PLANNERS, elect=not arguments.dev))
    except Exception as error:
        for cause in _causes(error):
            logging.getLogger(__name__).critical("the operator ends: %s", cause, exc_info=cause)
        return 1
    return 0


def _causes(error: BaseException) -> list[BaseException]:
    """The exceptions inside nested groups."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for inner in error.exceptions for cause in _causes(inner)]
    return [error]
