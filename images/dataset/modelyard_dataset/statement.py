"""Only one SELECT over the declared names may run; whatever could reach files, settings or other tables is refused."""

from collections.abc import Collection

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from modelyard.contract.reasons import Reason
from modelyard_dataset.sandbox import failure
from modelyard_kit.failure import UserFailure

HARMLESS = (exp.GenerateSeries, exp.Unnest)  # table functions that read nothing


def check_select(sql: str, names: Collection[str], field: str) -> str:
    """The statement as written, without its semicolon. Raises UserFailure(InvalidSql) that names `field`."""
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.ParserException as error:
        raise failure(field, error) from error
    if len(statements) != 1:
        raise _invalid(field, f"must be one SELECT, but holds {len(statements)} statements")
    text, statement = _parsed(statements[0].query, field)
    known = {name.lower() for name in names} | {cte.alias.lower() for cte in statement.find_all(exp.CTE)}
    for table in statement.find_all(exp.Table):
        _check_table(table, known, names, field)
    return text


def _parsed(sql: str, field: str) -> tuple[str, exp.Query]:
    """The text up to its semicolon, behind which there may be a comment, and its tree."""
    try:
        tokens = sqlglot.tokenize(sql, dialect="duckdb")
        ends = [token.start for token in tokens if token.token_type.name == "SEMICOLON"]
        text = sql[: ends[0]] if ends else sql
        statement = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        raise _invalid(field, f"uses syntax that cannot be checked: {str(error).splitlines()[0]}") from error
    if not isinstance(statement, exp.Query):
        raise _invalid(field, f"must be a SELECT, but is {type(statement).__name__.upper()}")
    return text, statement


def _check_table(table: exp.Table, known: set[str], names: Collection[str], field: str) -> None:
    if isinstance(table.this, HARMLESS):
        return
    if not isinstance(table.this, exp.Identifier):
        raise _invalid(field, f"calls {table.sql(dialect='duckdb')}: table functions are not allowed; {_hint(names)}")
    if table.args.get("db") or table.args.get("catalog") or table.name.lower() not in known:
        raise _invalid(field, f"reads {table.sql(dialect='duckdb')}, which is not declared; {_hint(names)}")


def _hint(names: Collection[str]) -> str:
    return f"it may read {', '.join(names)}"


def _invalid(field: str, detail: str) -> UserFailure:
    return UserFailure(Reason.INVALID_SQL, f"{field} {detail}")
