"""Captured rows of a deployment: the newest of a model, or all since a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.contract.capture import FEATURE_PREFIX, PREDICTION, SCORE
from modelyard.contract.manifest import Column, ModelManifest
from modelyard_drift.files import Read, joined, read_files
from modelyard_drift.labels import TIME, label_of
from modelyard_drift.partitions import hours
from modelyard_kit.store import Store
from modelyard_kit.tabular import ARROW_TYPES

FILES_AT_ONCE = 64
SKEW = timedelta(seconds=60)  # the store's clock may run behind the servers' by so much
OK = 200


@dataclass(frozen=True)
class Captured:
    """`rows` newest first, with the columns of `capture_schema`."""

    rows: pa.Table
    absent: frozenset[str] = frozenset()  # columns that no file had
    retyped: tuple[tuple[str, str], ...] = ()
    files: int = 0
    unreadable: int = 0


def features_of(rows: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The features of captured rows under their own names."""
    return pa.table({column.name: rows[FEATURE_PREFIX + column.name] for column in columns})


def capture_schema(features: Sequence[Column], task: str) -> pa.Schema:
    prediction = pa.string() if task == "classification" else pa.float64()
    own = [("inference_id", pa.string()), ("time", TIME), ("model_digest", pa.string()), ("status", pa.int32())]
    named = [(FEATURE_PREFIX + column.name, ARROW_TYPES[column.type]) for column in features]
    return pa.schema([*own, (PREDICTION, prediction), (SCORE, pa.float64()), *named])


def newest_rows(
    store: Store,
    prefix: str,
    manifest: ModelManifest,
    digest: str,
    rows: int,
    since: datetime | None,
    until: datetime | None = None,
) -> Captured:
    """The newest `rows` successful rows that the model answered after `since`, at `until` or before it."""

    def wanted(table: pa.Table) -> pa.Table:
        return table.filter((pc.field("status") == OK) & (pc.field("model_digest") == digest))

    schema = capture_schema(manifest.features, manifest.task)
    return _collect(store, prefix, schema, wanted, rows, since, until)


def labelled_rows(
    store: Store, prefix: str, features: Sequence[Column], task: str, since: datetime, rows: int, labels: pa.Table
) -> pa.Table:
    """The newest `rows` successful rows after `since` that have a label, whichever model answered; oldest first.

    A request that several models answered counts once. The label is the column `label`.
    """

    def wanted(table: pa.Table) -> pa.Table:
        return table.filter((pc.field("status") == OK) & pc.field("inference_id").isin(labels["inference_id"]))

    found = _collect(store, prefix, capture_schema(features, task), wanted, rows, since).rows
    found = found.filter(pa.array(~found["inference_id"].to_pandas().duplicated()))
    found = found.append_column("label", label_of(found["inference_id"], labels))
    return found.take(pa.array(np.arange(found.num_rows)[::-1]))


def _collect(
    store: Store,
    prefix: str,
    schema: pa.Schema,
    wanted: Callable[[pa.Table], pa.Table],
    rows: int,
    since: datetime | None,
    until: datetime | None = None,
) -> Captured:
    kept = schema.empty_table()
    reads: list[Read | None] = []
    for files in hours(store, prefix, since, until):
        for start in range(0, len(files), FILES_AT_ONCE):
            batch = files[start : start + FILES_AT_ONCE]
            if _complete(kept, rows) and batch[0].modified + SKEW < kept["time"][-1].as_py():
                break  # what was written before the oldest row kept holds only older rows
            found = read_files(store, batch, schema)
            reads += found
            kept = _newest([kept, *(wanted(read.table) for read in found if read)], schema, rows, since, until)
        if _complete(kept, rows):
            break
    readable = [read for read in reads if read]
    absent = frozenset.intersection(*(read.absent for read in readable)) if readable else frozenset()
    retyped = tuple(sorted({pair for read in readable for pair in read.retyped}))
    return Captured(kept, absent, retyped, len(reads), len(reads) - len(readable))


def _complete(kept: pa.Table, rows: int) -> bool:
    return bool(kept.num_rows >= rows)


def _newest(
    tables: list[pa.Table], schema: pa.Schema, rows: int, since: datetime | None, until: datetime | None
) -> pa.Table:
    table = joined(tables, schema)
    if since is not None:
        table = table.filter(pc.field("time") > pa.scalar(since, TIME))
    if until is not None:
        table = table.filter(pc.field("time") <= pa.scalar(until, TIME))
    return table.sort_by([("time", "descending"), ("inference_id", "ascending")]).slice(0, rows).combine_chunks()
