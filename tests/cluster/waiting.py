"""Waiting with a deadline, for things that say nothing when they are done."""

import os
import random
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress

from tests.cluster.provider import ClusterError

_FIRST, _MANY, _WORKERS = 20_000, 600, 16
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS


def until(
    done: Callable[[], bool],
    what: str,
    timeout_s: float,
    trouble: Callable[[], str | None] = lambda: None,
    every_s: float = 0.1,
) -> None:
    """`trouble` says why waiting longer makes no sense."""
    deadline = time.monotonic() + timeout_s
    while not done():
        if reason := trouble():
            raise ClusterError(f"waiting for {what}: {reason}")
        if time.monotonic() > deadline:
            raise ClusterError(f"{what}: not after {timeout_s:.0f} s")
        time.sleep(every_s)


def answers(port: int, path: str) -> bool:
    """Whether a GET on 127.0.0.1 is answered by 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_ports(count: int) -> list[int]:
    """Distinct ports of 127.0.0.1 that nobody listens on now.

    They are taken a while later. So they lie below those that Linux gives to who asks for any, and each worker of
    pytest-xdist draws from its own.
    """
    ports: set[int] = set()
    while len(ports) < count:
        port = _FIRST + _WORKERS * random.randrange(_MANY) + _WORKER  # noqa: S311 - no secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            ports.add(port)
    return list(ports)
