"""The files below a prefix that is partitioned by hour, newest first, listing only the hours that are needed."""

from collections.abc import Iterator
from datetime import datetime

from modelyard_kit.store import Entry, Store

DAY, HOUR = "dt=YYYY-MM-DD", "dt=%Y-%m-%d/hh=%H/"


def hours(
    store: Store, prefix: str, since: datetime | None = None, until: datetime | None = None
) -> Iterator[list[Entry]]:
    """The Parquet files of each `dt=YYYY-MM-DD/hh=HH/`, newest hour first, in an hour newest write first.

    `since` and `until` are in UTC; hours that ended before or began after them are not listed.
    """
    first = since.strftime(HOUR) if since else ""
    last = until.strftime(HOUR) if until else "e"  # after any `dt=`
    for day in reversed(store.folders(prefix)):
        if not first[: len(DAY)] <= day.removeprefix(prefix)[: len(DAY)] <= last:
            continue
        for hour in reversed(store.folders(day)):
            if first <= hour.removeprefix(prefix) <= last:
                files = [entry for entry in store.entries(hour) if entry.path.endswith(".parquet")]
                yield sorted(files, key=lambda entry: (entry.modified, entry.path), reverse=True)
