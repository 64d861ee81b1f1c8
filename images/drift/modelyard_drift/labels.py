"""Labels that came by feedback, joined to captured rows by inference id."""

from datetime import datetime
from math import isfinite

import pyarrow as pa
import pyarrow.compute as pc

from modelyard_drift.captured import TIME
from modelyard_drift.files import joined, read_files
from modelyard_drift.partitions import hours
from modelyard_kit.store import Store

SCHEMA = pa.schema([("inference_id", pa.string()), ("time", TIME), ("label", pa.string())])


def labels_for(store: Store, prefix: str, ids: pa.ChunkedArray, since: datetime, task: str) -> pa.ChunkedArray:
    """The label of each id, null where none has come. A label is never older than its row: `since` is the oldest's.

    Of several labels of one row the newest counts. For a regression what is no finite number is no label.
    """
    kept = SCHEMA.empty_table()
    for files in hours(store, prefix, since):
        found = [read.table for read in read_files(store, files, SCHEMA) if read]
        kept = joined(
            [kept, *(table.filter(pc.is_in(table["inference_id"], value_set=ids)) for table in found)], SCHEMA
        )
    frame = kept.sort_by([("time", "descending")]).to_pandas().drop_duplicates("inference_id")
    if task == "regression":
        frame = frame[[_is_number(label) for label in frame["label"]]]
    known = pa.array(frame["inference_id"], pa.string())
    return pa.chunked_array([pa.array(frame["label"], pa.string())]).take(pc.index_in(ids, value_set=known))


def _is_number(label: str | None) -> bool:
    try:
        return label is not None and isfinite(float(label))
    except ValueError:
        return False
