"""What the API server's audit log tells of one user's requests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

WRITES = frozenset({"create", "update", "patch", "delete"})


@dataclass(frozen=True)
class Request:
    at: datetime  # when it was received
    verb: str
    resource: str  # e.g. datasets/status
    name: str
    code: int


def requests(log: Path, user: str) -> Iterator[Request]:
    for line in log.read_text().splitlines():
        entry = json.loads(line)
        if entry["user"]["username"] == user and entry["stage"] == "ResponseComplete" and "objectRef" in entry:
            of = entry["objectRef"]
            yield Request(
                at=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
                verb=entry["verb"],
                resource="/".join(filter(None, (of["resource"], of.get("subresource")))),
                name=of.get("name", ""),
                code=entry["responseStatus"]["code"],
            )


def writes(log: Path, user: str) -> list[Request]:
    """All but those of leases, whether they were done or refused."""
    return [r for r in requests(log, user) if r.verb in WRITES and r.resource != "leases"]


def took_over(log: Path, user: str) -> datetime:
    """When this user first got the lease."""
    return next(r.at for r in requests(log, user) if r.resource == "leases" and r.verb in WRITES and r.code < 300)
