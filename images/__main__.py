"""`python -m images`: build, list, lock. Tags are hashes of what goes in, so only what changed is built."""

import argparse
import json
import sys

from images.builder.build import build
from images.builder.catalog import FINAL, OPTIONAL, refs
from images.builder.lock import lock
from images.builder.shell import CommandError

KNOWN = (*FINAL, *OPTIONAL)
ALL = "all that hold no torch"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m images", description="Builds modelyard's images.")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="build what changed and write archives for `python -m tests.cluster load`")
    make.add_argument("names", nargs="*", metavar="IMAGE", help=f"of {', '.join(KNOWN)}; default: {ALL}")
    make.add_argument("--json", action="store_true", help='print {"<image>": "<ref>", ..., "archives": [...]}')
    make.add_argument("--no-archive", action="store_true", help="leave the images in the engine's storage only")
    commands.add_parser("list", help="print each image's ref for the sources as they are")
    commands.add_parser("lock", help="write requirements/*.txt from pyproject.toml")
    options = parser.parse_args()
    unknown = sorted(set(getattr(options, "names", [])) - set(KNOWN))
    if unknown:
        parser.error(f"no image {', '.join(unknown)}: choose from {', '.join(KNOWN)}")
    try:
        return act(options)
    except CommandError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1


def act(options: argparse.Namespace) -> int:
    if options.command == "lock":
        lock()
        return 0
    if options.command == "list":
        print("\n".join(refs().values()))
        return 0
    built = build(options.names or list(FINAL), archives=not options.no_archive)
    if options.json:
        archives = list(dict.fromkeys(str(path) for image in built for path in image.archives))
        print(json.dumps({**{image.name: image.ref for image in built}, "archives": archives}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
