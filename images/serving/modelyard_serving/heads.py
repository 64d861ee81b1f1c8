"""Heads of requests that were read before: a client repeats its own byte for byte, and to find one costs a fraction of
reading it."""

from collections.abc import Mapping
from typing import NamedTuple

MOST = 1024  # heads; with one of its own for every request they begin anew now and then
END = b"\r\n\r\n"


class Head(NamedTuple):
    """`headers` by lower-case name; `length` is that of the body, in bytes."""

    target: bytes
    path: str
    headers: Mapping[str, str]
    length: int


class Heads:
    """By all their bytes, the empty line included."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def find(self, data: bytes) -> tuple[Head | None, int]:
        """The head that `data` begins with, and where its body begins."""
        end = data.find(END) + len(END)
        return self._known.get(data[:end]), end

    def learn(self, data: bytes, head: Head) -> None:
        """Where `data` is the whole request, and nothing but it."""
        end = data.find(END) + len(END)
        if len(data) != end + head.length:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[data[:end]] = head
