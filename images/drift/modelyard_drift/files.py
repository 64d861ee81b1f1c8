"""Reads many small Parquet files at once as tables of one wanted schema, whatever their writers' schemas."""

import io
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from modelyard_kit.store import Entry, MissingError, Store

TOGETHER = 16  # downloads at a time: files are small, so latency is what they cost

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Read:
    """`absent` columns were not in the file, `retyped` ones (name to the type found) could not be cast; both null."""

    table: pa.Table
    absent: frozenset[str] = frozenset()
    retyped: tuple[tuple[str, str], ...] = ()


def read_files(store: Store, files: Sequence[Entry], schema: pa.Schema) -> list[Read | None]:
    """In the order of `files`; None for one that is no Parquet, or was deleted in the meantime."""
    with ThreadPoolExecutor(max_workers=TOGETHER) as pool:
        return list(pool.map(lambda entry: _read(store, entry, schema), files))


def _read(store: Store, entry: Entry, schema: pa.Schema) -> Read | None:
    try:
        file = pq.ParquetFile(io.BytesIO(store.get(entry.path)))
        present = [name for name in schema.names if name in file.schema_arrow.names]
        return conform(file.read(columns=present, use_threads=False), schema)
    except (pa.ArrowException, OSError, MissingError) as error:
        log.warning("%s is left out: %s", entry.path, error)
        return None


def conform(table: pa.Table, schema: pa.Schema) -> Read:
    """The table's rows with exactly the columns of `schema`."""
    absent, retyped, columns = set(), [], []
    for field in schema:
        if field.name not in table.column_names:
            absent.add(field.name)
            columns.append(_nulls(table.num_rows, field.type))
            continue
        values = table[field.name]
        try:
            columns.append(values.cast(field.type))
        except pa.ArrowException:
            retyped.append((field.name, str(values.type)))
            columns.append(_nulls(table.num_rows, field.type))
    return Read(pa.table(columns, schema=schema), frozenset(absent), tuple(retyped))


def joined(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *tables])


def _nulls(rows: int, kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(rows, kind)])
