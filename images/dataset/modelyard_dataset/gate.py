"""What must hold before a candidate becomes current: the schema and the expectations."""

from collections.abc import Sequence

import duckdb

from modelyard.contract.manifest import Column
from modelyard.contract.reasons import Reason
from modelyard.contract.results import FailedExpectation
from modelyard.contract.tasks import ExpectationTask, RowCountTask, SchemaTask
from modelyard_dataset.sandbox import blamed, quoted, scalar
from modelyard_dataset.statement import check_select
from modelyard_dataset.table import check_columns
from modelyard_kit.failure import UserFailure, shorten

_NUMBERS = ("int64", "float64")


def schema_findings(wanted: SchemaTask, columns: Sequence[Column]) -> list[str]:
    """How the table differs from the schema that was asked for; empty where it does not, or mode is infer."""
    if wanted.mode == "infer":
        return []
    there = {column.name: column for column in columns}
    findings = []
    for item in wanted.fields:
        column = there.get(item.name)
        if column is None:
            findings.append(f"column {item.name} is missing")
        elif column.type != item.type:
            findings.append(f"column {item.name} is {column.type}, not {item.type}")
        elif column.nullable and not item.nullable:
            findings.append(f"column {item.name} has nulls")
    if wanted.mode == "exact":
        named = {item.name for item in wanted.fields}
        findings += [f"column {name} is not in the schema" for name in there if name not in named]
    return findings


def failed_expectations(
    connection: duckdb.DuckDBPyConnection,
    expectations: Sequence[ExpectationTask],
    columns: Sequence[Column],
    rows: int,
    current_rows: int | None,
) -> list[FailedExpectation]:
    """The expectations that `this` does not meet, in their order, those that only warn included."""
    types = {column.name: column.type for column in columns}
    failed = []
    for item in expectations:
        where = f"spec.expectations[{item.name}]"
        check_columns(where, [*([item.column] if item.column else []), *item.columns], types)
        if item.between and types[item.column or ""] not in _NUMBERS:
            raise UserFailure(Reason.BAD_DATA, f"{where}.between takes a number, {item.column} is none; use sql")
        with blamed(f"{where}.sql" if item.sql else where):
            found = _evaluate(connection, item, rows, current_rows)
        if found:
            failed.append(found)
    return failed


def _evaluate(
    connection: duckdb.DuckDBPyConnection, item: ExpectationTask, rows: int, current_rows: int | None
) -> FailedExpectation | None:
    if item.row_count is not None:
        message = row_count_message(item.row_count, rows, current_rows)
        return _failed(item, rows, rows, message) if message else None
    if item.sql is not None:
        return _evaluate_sql(connection, item, rows)
    if item.unique:
        names = ", ".join(quoted(name) for name in item.columns)
        failed = rows - scalar(connection, f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM this)")
        message = f"{failed} rows repeat the {', '.join(item.columns)} of another"
        return _failed(item, failed, rows, message) if failed else None
    column = quoted(item.column or "")
    if item.between is not None:
        low, high = item.between
        total = scalar(connection, f"SELECT count({column}) FROM this")
        failed = scalar(connection, f"SELECT count(*) FROM this WHERE NOT {column} BETWEEN {low!r} AND {high!r}")
        message = f"{failed} of {total} values of {item.column} are not between {low:g} and {high:g}"
    else:
        total = rows
        failed = scalar(connection, f"SELECT count(*) FROM this WHERE {column} IS NULL")
        message = f"{failed} of {total} values of {item.column} are missing"
    return _failed(item, failed, total, message) if failed > item.max_fail_ratio * total else None


def _evaluate_sql(connection: duckdb.DuckDBPyConnection, item: ExpectationTask, rows: int) -> FailedExpectation | None:
    select = check_select(item.sql or "", ["this"], f"spec.expectations[{item.name}].sql")
    answer = connection.execute(select).fetchall()
    if len(answer) != 1 or len(answer[0]) != 1 or not isinstance(answer[0][0], int | float):
        raise UserFailure(
            Reason.INVALID_SQL, f"spec.expectations[{item.name}].sql must give one number, for example a count(*)"
        )
    value, wanted = answer[0][0], item.equals or 0
    return _failed(item, int(value), rows, f"it gave {value}, not {wanted:g}") if value != wanted else None


def row_count_message(wanted: RowCountTask, rows: int, current_rows: int | None) -> str | None:
    """What is wrong with the number of rows, or None. The change is measured against the current version's."""
    if wanted.min is not None and rows < wanted.min:
        return f"{rows} rows are fewer than {wanted.min}"
    if wanted.max is not None and rows > wanted.max:
        return f"{rows} rows are more than {wanted.max}"
    if wanted.max_change_ratio is not None and current_rows:
        change = abs(rows - current_rows) / current_rows
        if change > wanted.max_change_ratio:
            allowed = wanted.max_change_ratio
            return f"{rows} rows differ by {change:.2f} from the current {current_rows}, more than {allowed:g}"
    return None


def _failed(item: ExpectationTask, failed: int, total: int, message: str) -> FailedExpectation:
    return FailedExpectation(
        name=shorten(item.name, 128), failed=failed, total=total, severity=item.severity, message=message
    )
