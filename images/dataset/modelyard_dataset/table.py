"""Makes the table `this`: sources as tables of their names, the user's SELECT over them, contract types."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import duckdb

from modelyard.contract.manifest import Column, ColumnType
from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import DatasetTask, RolesTask, SourceTask
from modelyard_dataset.access import field
from modelyard_dataset.fetch import Fetched
from modelyard_dataset.sandbox import blamed, literal, quoted, scalar
from modelyard_dataset.statement import check_select
from modelyard_kit.failure import UserFailure

SQL_FIELD = "spec.transform.sql"
SQL_TYPES: Mapping[ColumnType, str] = {
    "bool": "BOOLEAN",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
}
_INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
    | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
)
_FLOATS = frozenset({"FLOAT", "DOUBLE"})


def make_table(connection: duckdb.DuckDBPyConnection, task: DatasetTask, fetched: Fetched) -> list[Column]:
    """Creates `this` and returns its columns. Raises UserFailure for bad sources, SQL, types or roles."""
    select = check_select(
        task.sql or f"select * from {quoted(task.sources[0].name)}", [s.name for s in task.sources], SQL_FIELD
    )
    for source in task.sources:
        with blamed(field(source)):
            connection.execute(f"CREATE TABLE {quoted(source.name)} AS {_scan(source, fetched[source.name])}")
    with blamed(SQL_FIELD):
        described = connection.execute(f"DESCRIBE SELECT * FROM (\n{select}\n)").fetchall()
    types = {name: column_type(name, sql_type) for name, sql_type, *_ in described}
    check_columns("spec.columns", role_names(task.roles), types)
    typed = ", ".join(f"CAST({quoted(name)} AS {SQL_TYPES[kind]}) AS {quoted(name)}" for name, kind in types.items())
    with blamed(SQL_FIELD):
        connection.execute(f"CREATE TABLE this AS SELECT {typed} FROM (\n{select}\n)")
    return [_column(connection, name, kind, task.roles) for name, kind in types.items()]


def column_type(name: str, sql_type: str) -> ColumnType:
    """The contract's type for DuckDB's. Raises UserFailure(BadData) where there is none."""
    if sql_type in _INTEGERS:
        return "int64"
    if sql_type in _FLOATS or sql_type.startswith("DECIMAL"):
        return "float64"
    if sql_type in ("VARCHAR", "UUID") or sql_type.startswith("ENUM"):
        return "string"
    if sql_type.startswith("TIMESTAMP"):
        return "timestamp"
    if sql_type in ("BOOLEAN", "DATE"):
        return "bool" if sql_type == "BOOLEAN" else "date"
    raise UserFailure(
        Reason.BAD_DATA,
        f"{SQL_FIELD}: column {name} has type {sql_type}, which no model takes; cast it or leave it out",
    )


def check_columns(where: str, wanted: Sequence[str], there: Mapping[str, ColumnType]) -> None:
    """Raises UserFailure(MissingColumn) for the first wanted column that is not there, with the nearest names."""
    for name in wanted:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UserFailure(
                Reason.MISSING_COLUMN,
                f"{where} names {name}, which is not among the columns {', '.join(list(there)[:20])}{meant}",
            )


def role_names(roles: RolesTask) -> list[str]:
    one = [name for name in (roles.time, roles.label) if name]
    return [*roles.key, *one, *(roles.pii or [])]


def _scan(source: SourceTask, paths: Sequence[Path]) -> str:
    files = "[" + ", ".join(literal(str(path)) for path in paths) + "]"
    if _format(source) == "parquet":
        return f"SELECT * FROM read_parquet({files}, union_by_name=true, hive_partitioning=false)"
    # All rows decide a column's type: a sample would let the type depend on where the odd value lies.
    return f"SELECT * FROM read_csv({files}, union_by_name=true, hive_partitioning=false, sample_size=-1)"


def _format(source: SourceTask) -> str:
    if source.format != "auto":
        return source.format
    name = source.uri.partition("?")[0].lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    if name.endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz")):
        return "csv"
    raise UserFailure(
        Reason.CONFIG_ERROR, f"{field(source)}.format cannot be told from {source.uri}: set it to csv or parquet"
    )


def _column(connection: duckdb.DuckDBPyConnection, name: str, kind: ColumnType, roles: RolesTask) -> Column:
    nulls = scalar(connection, f"SELECT count(*) FROM this WHERE {quoted(name)} IS NULL")
    pii = True if name in (roles.pii or []) else None
    return Column(name=name, type=kind, nullable=nulls > 0, role=_role(name, roles), pii=pii)


def _role(name: str, roles: RolesTask) -> Literal["feature", "label", "key", "time"]:
    if name == roles.label:
        return "label"
    if name == roles.time:
        return "time"
    return "key" if name in roles.key else "feature"
