"""Labels that came by feedback, joined to captured rows by inference id."""

from datetime import datetime
from math import isfinite

import pyarrow as pa
import pyarrow.compute as pc

from modelyard_drift.files import joined, read_files
from modelyard_drift.partitions import hours
from modelyard_kit.store import Store

TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema([("inference_id", pa.string()), ("time", TIME), ("label", pa.string())])


def labels_since(store: Store, prefix: str, since: datetime, task: str, ids: pa.ChunkedArray | None = None) -> pa.Table:
    """Columns `inference_id` and `label` of what came after `since`, of `ids` only where they are given.

    A label is never older than its row. Of several labels of one row the newest counts. For a regression what is no
    finite number is no label.
    """
    kept = SCHEMA.empty_table()
    for files in hours(store, prefix, since):
        found = [read.table for read in read_files(store, files, SCHEMA) if read]
        if ids is not None:
            found = [table.filter(pc.is_in(table["inference_id"], value_set=ids)) for table in found]
        kept = joined([kept, *found], SCHEMA)
    frame = kept.sort_by([("time", "descending")]).to_pandas().drop_duplicates("inference_id")
    if task == "regression":
        frame = frame[[_is_number(label) for label in frame["label"]]]
    names = ("inference_id", "label")
    return pa.table({name: pa.array(frame[name], pa.string()) for name in names})


def label_of(ids: pa.ChunkedArray, labels: pa.Table) -> pa.ChunkedArray:
    """The label of each id, null where none has come."""
    return labels["label"].take(pc.index_in(ids, value_set=labels["inference_id"]))


def _is_number(label: str | None) -> bool:
    try:
        return label is not None and isfinite(float(label))
    except ValueError:
        return False
