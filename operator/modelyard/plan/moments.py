"""Times as the API writes them, and back. Planners get `now`; they never ask a clock."""

from datetime import UTC, datetime, timedelta

from modelyard.api.conditions import timestamp


def moment(text: str) -> datetime:
    """RFC 3339, with or without fractions of a second, as an aware datetime in UTC."""
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def later(text: str, seconds: float) -> datetime:
    """So many seconds after an RFC 3339 time."""
    return moment(text) + timedelta(seconds=seconds)


def is_ahead(then: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether a time that is never more than `longest` away is still to come: one further away was written before the
    clock was set back, and would be waited for all that time."""
    return now < then <= now + longest


def not_after(now: datetime, text: str) -> str:
    """A time that a node's clock told: one that is ahead must not make old things pass for new."""
    return text if moment(text) <= now else timestamp(now)


def until(then: datetime, now: datetime) -> float:
    """Seconds to wait, at least one: a reconcile is never asked for in the past."""
    return max(1.0, (then - now).total_seconds())
