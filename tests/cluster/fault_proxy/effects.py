"""What may happen to a request instead of its answer. Data only; `server` carries it out."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Refuse:
    """An answer of the API server's kind; `done` if the request is carried out all the same."""

    status: int
    reason: str
    message: str = "injected"
    retry_after: int | None = None  # seconds
    done: bool = False

    @property
    def name(self) -> str:
        return f"{self.status}{' after the request was done' if self.done else ''}"

    def body(self) -> dict[str, object]:
        return status(self.status, self.reason, self.message)


@dataclass(frozen=True)
class Reset:
    """The connection is reset before the answer, or before the request if it is not `done`."""

    done: bool = False

    @property
    def name(self) -> str:
        return f"reset {'after' if self.done else 'before'} the request was done"


@dataclass(frozen=True)
class Hang:
    """No answer for so long, and then a closed connection. The request is not carried out."""

    seconds: float
    name = "hang"


@dataclass(frozen=True)
class Slow:
    """The answer comes so much later."""

    seconds: float
    name = "slow answer"


@dataclass(frozen=True)
class Truncate:
    """Half of the answer, or of a watch's first event; `framed` as if it were the whole, else the connection ends."""

    framed: bool = False

    @property
    def name(self) -> str:
        return f"truncated answer{', as if whole' if self.framed else ''}"


@dataclass(frozen=True)
class Silence:
    """A watch tells nothing any more after so many seconds, for `lasting` seconds, and its connection stays open."""

    after: float = 0.0
    lasting: float = 3600.0
    name = "hung watch"


@dataclass(frozen=True)
class Break:
    """A watch ends after so many seconds with an error event of this code, as the API server sends it."""

    code: int = 410
    reason: str = "Expired"
    after: float = 0.0

    @property
    def name(self) -> str:
        return f"watch ended by {self.code}"

    def line(self) -> bytes:
        event = {"type": "ERROR", "object": status(self.code, self.reason, "injected")}
        return json.dumps(event).encode() + b"\n"


@dataclass(frozen=True)
class Cut:
    """A watch's connection is reset after so many seconds."""

    after: float = 0.0
    name = "cut watch"


Effect = Refuse | Reset | Hang | Slow | Truncate | Silence | Break | Cut


def status(code: int, reason: str, message: str) -> dict[str, object]:
    """Kubernetes' `Status` object."""
    kind = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**kind, "message": message, "reason": reason, "code": code}
