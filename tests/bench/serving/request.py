"""A request as the load client sends it, and its answer, once."""

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """`body` is a file. Without a content type among the headers it is JSON."""

    path: str
    body: Path
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> dict[str, str]:
        """The headers, by lower-case name."""
        return {"content-type": "application/json", **self.headers}


def answer_of(port: int, request: Request) -> bytes:
    """Raises HTTPError for a status other than 200."""
    url = f"http://127.0.0.1:{port}{request.path}"
    sent = urllib.request.Request(url, request.body.read_bytes(), request.complete)
    with urllib.request.urlopen(sent, timeout=10) as response:  # noqa: S310
        found: bytes = response.read()
    return found
