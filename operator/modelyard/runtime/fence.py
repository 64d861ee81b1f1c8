"""The last look at the lease, when the bytes of a write are about to go out.

Between the decision to write and this moment a request may have waited for a connection, and the process may have been
stopped for longer than the lease lasts. aiohttp tells of the body before it sends anything of a request that has one;
who is stopped in the microseconds from there to the socket sends that one request late.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp


class FencedError(Exception):
    """The write was not made: this replica does not hold the lease."""


_fenced: ContextVar[bool] = ContextVar("fenced", default=False)


@contextmanager
def fenced() -> Iterator[None]:
    """Requests of this context, and of tasks made in it, are writes that need the lease."""
    token = _fenced.set(True)
    try:
        yield
    finally:
        _fenced.reset(token)


def watched(may_write: Callable[[], bool]) -> aiohttp.TraceConfig:
    """Makes a session fail with a ClientConnectionError, and close the connection, instead of sending a stale write."""

    async def look(*_: Any) -> None:
        if _fenced.get() and not may_write():
            raise FencedError("the lease was lost while the write was on its way")

    config = aiohttp.TraceConfig()
    config.on_request_chunk_sent.append(look)
    return config
