"""A digest of the rows themselves, whatever their order, split or file format."""

from collections.abc import Sequence

import duckdb

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import Column
from modelyard_dataset.sandbox import quoted


def logical_digest(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> str:
    """Sums of both halves of each row's md5. Floats count to 12 digits, as sums differ in the last ones."""
    ordered = sorted(columns, key=lambda column: column.name)
    text = " || chr(31) || ".join(f"coalesce({_text(column)}, chr(0))" for column in ordered)
    sums = connection.execute(
        f"SELECT count(*), sum(md5_number_lower(row)), sum(md5_number_upper(row)) FROM (SELECT {text} AS row FROM this)"
    ).fetchall()[0]
    return digest_of([[[column.name, column.type] for column in ordered], [str(value or 0) for value in sums]])


def _text(column: Column) -> str:
    name = quoted(column.name)
    return f"printf('%.12g', {name})" if column.type == "float64" else f"CAST({name} AS VARCHAR)"
