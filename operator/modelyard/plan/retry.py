"""Pauses between attempts that failed for reasons of the world."""

from datetime import timedelta

from modelyard.api.fields import seconds

ATTEMPTS = 6
LONGEST = timedelta(minutes=5)


def pause(base: str, attempt: int) -> timedelta:
    """Before the attempt after `attempt`: the base, doubled each time, at most five minutes."""
    doubled = seconds(base) * 2.0 ** min(attempt - 1, 20)
    return timedelta(seconds=min(LONGEST.total_seconds(), doubled))
