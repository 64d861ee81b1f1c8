"""The operator's program with a record of every connection, name lookup and process it makes.

`python -m tests.integration.security.guard RECORD ARGUMENT...` runs `modelyard ARGUMENT...`.
"""

import json
import os
import sys
from typing import Any

RECORDED: tuple[str, ...] = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.sendto",
    "subprocess.Popen",
)
RECORDED += ("os.exec", "os.fork", "os.posix_spawn", "os.system")  # what they start could connect, too


def record(path: str) -> None:
    """From here on, for ever: an audit hook cannot be taken out."""
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in RECORDED:
            given = [a if isinstance(a, (str, int, type(None))) else list(a) for a in arguments if _plain(a)]
            os.write(target, json.dumps([event, given]).encode() + b"\n")

    sys.addaudithook(hook)


def _plain(argument: Any) -> bool:
    return argument is None or isinstance(argument, (str, int, tuple))


if __name__ == "__main__":
    record(sys.argv[1])
    from modelyard.cli.main import main

    sys.exit(main(sys.argv[2:]))
