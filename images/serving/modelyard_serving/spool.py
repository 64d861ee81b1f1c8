"""A bounded buffer and the one thread that writes it to the store as Parquet, away from the requests.

A failed upload is tried again with the same content and path until it succeeds; meanwhile the buffer may fill, and
what does not fit is counted as dropped. Nothing here blocks or fails a request.
"""

import io
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain, groupby, repeat
from operator import attrgetter
from pathlib import PurePosixPath
from threading import Condition, Event, Thread
from typing import Generic, Protocol, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from modelyard_kit.store import Store, StoreError

log = logging.getLogger(__name__)

MAX_ROWS = 50_000
MAX_BYTES = 32 * 1024 * 1024
FLUSH_ROWS = 10_000  # so many are written at once, without waiting for the interval
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 5.0)


class Record(Protocol):
    @property
    def time(self) -> datetime: ...
    @property
    def count(self) -> int: ...
    @property
    def size(self) -> int: ...


R = TypeVar("R", bound=Record)


class Spool(Generic[R]):
    """Writes `<prefix>dt=YYYY-MM-DD/hh=HH/<pod>-<n>.parquet` by the records' UTC time.

    `n` is the time of writing in milliseconds, so that a restarted container never overwrites. `written` and
    `dropped` count rows since the start.
    """

    def __init__(
        self,
        store: Store,
        prefix: str,
        pod: str,
        flush_seconds: float,
        encode: Callable[[Sequence[R]], pa.Table],
        beside: Callable[[str, Sequence[R]], list[tuple[str, bytes]]] | None = None,
    ) -> None:
        """`beside` makes more files, as paths and contents, of a file's name without ending and its records."""
        self.written = 0
        self.dropped = 0
        self._store, self._prefix, self._pod, self._encode, self._beside = store, prefix, pod, encode, beside
        self._flush_seconds = flush_seconds
        self._records: list[R] = []
        self._rows = 0
        self._bytes = 0
        self._number = 0
        self._closed = False
        self._changed = Condition()
        self._abandoned = Event()
        self._thread = Thread(target=self._run, name=f"spool {prefix}", daemon=True)
        self._thread.start()

    @property
    def buffered(self) -> int:
        """Rows that wait to be written."""
        return self._rows

    def add(self, records: Sequence[R]) -> bool:
        """Takes all of them, or none where they do not fit: then False, and they count as dropped."""
        rows = size = 0
        for record in records:
            rows += record.count
            size += record.size
        with self._changed:
            full = self._rows + rows > MAX_ROWS or self._bytes + size > MAX_BYTES
            if self._closed or (full and self._rows):  # one request alone may be larger: it would never fit
                self.dropped += rows
                return False
            self._records.extend(records)
            self._rows += rows
            self._bytes += size
            if self._rows >= FLUSH_ROWS:
                self._changed.notify()
        return True

    def close(self, timeout: float) -> bool:
        """Writes what is left. False where it took longer than `timeout` seconds: the rest is lost, and counted."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout)
        if not self._thread.is_alive():
            return True
        self._abandoned.set()
        with self._changed:
            self.dropped += self._rows
        return False

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._rows >= FLUSH_ROWS, self._flush_seconds)
                records, closed = self._records, self._closed
                self._records = []
            for path, batch in self._partitions(records):
                self._write(path, batch)
            if closed:
                return

    def _partitions(self, records: Sequence[R]) -> list[tuple[str, list[R]]]:
        ordered = sorted(records, key=attrgetter("time"))
        self._number = max(self._number + 1, time.time_ns() // 1_000_000)
        name = f"{self._pod}-{self._number}.parquet"
        hours = [list(batch) for _, batch in groupby(ordered, lambda record: (record.time.date(), record.time.hour))]
        return [(f"{self._prefix}{hour[0].time:dt=%Y-%m-%d/hh=%H}/{name}", hour) for hour in hours]

    def _write(self, path: str, records: list[R]) -> None:
        """Rows count as buffered until they are in the store."""
        rows, size = sum(record.count for record in records), sum(record.size for record in records)
        try:
            content = parquet(self._encode(records))
        except Exception:
            log.exception("%d rows cannot be encoded and are dropped", rows)
            self._settle(rows, size, written=False)
            return
        if all(self._put_at_last(*file) for file in ((path, content), *self._more(path, records))):
            self._settle(rows, size, written=True)

    def _more(self, path: str, records: list[R]) -> list[tuple[str, bytes]]:
        """What is to lie beside. That it cannot be made costs nothing but itself."""
        try:
            return self._beside(PurePosixPath(path).stem, records) if self._beside else []
        except Exception:
            log.exception("%d records cannot be written in the other layout, and are in %s only", len(records), path)
            return []

    def _put_at_last(self, path: str, content: bytes) -> bool:
        """False where nobody waits for it any more."""
        for wait in chain(BACKOFF_SECONDS, repeat(BACKOFF_SECONDS[-1])):
            if self._put(path, content):
                return True
            if self._abandoned.wait(wait):
                return False
        raise AssertionError("the pauses do not end")

    def _put(self, path: str, content: bytes) -> bool:
        try:
            self._store.put(path, content)
        except StoreError as error:
            log.warning("captured rows wait for the store: %s", error.message)
            return False
        return True

    def _settle(self, rows: int, size: int, written: bool) -> None:
        with self._changed:
            self._rows -= rows
            self._bytes -= size
            if written:
                self.written += rows
            else:
                self.dropped += rows


def parquet(table: pa.Table) -> bytes:
    """The table as one compressed Parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()
