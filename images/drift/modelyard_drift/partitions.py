"""The files below a prefix that is partitioned by hour, newest first, listing only the hours that are needed."""

from collections.abc import Iterator
from datetime import datetime

from modelyard_kit.store import Entry, Store


def hours(store: Store, prefix: str, since: datetime | None = None) -> Iterator[list[Entry]]:
    """The Parquet files of each `dt=YYYY-MM-DD/hh=HH/`, newest hour first, in an hour newest write first.

    `since` is in UTC; hours that ended before it are not listed.
    """
    first_day = since.strftime("dt=%Y-%m-%d/") if since else ""
    first_hour = since.strftime("dt=%Y-%m-%d/hh=%H/") if since else ""
    for day in reversed(store.folders(prefix)):
        if day.removeprefix(prefix) < first_day:
            return
        for hour in reversed(store.folders(day)):
            if hour.removeprefix(prefix) < first_hour:
                return
            files = [entry for entry in store.entries(hour) if entry.path.endswith(".parquet")]
            yield sorted(files, key=lambda entry: (entry.modified, entry.path), reverse=True)
