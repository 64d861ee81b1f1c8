"""Divides rows: by the hash of a key, so that a row never moves as data grows, or by time."""

from collections.abc import Mapping, Sequence

import duckdb

from modelyard.contract.manifest import Column
from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import SPLITS, SplitsTask
from modelyard_dataset.sandbox import literal, quoted, scalar
from modelyard_dataset.table import check_columns
from modelyard_kit.failure import UserFailure

BUCKETS = 10_000
ORDERED = ("timestamp", "date", "int64", "float64")


def split_conditions(
    connection: duckdb.DuckDBPyConnection, splits: SplitsTask, columns: Sequence[Column], rows: int
) -> dict[str, str]:
    """A SQL condition on `this` by split; together they hold of every row exactly once.

    Raises UserFailure for missing columns, missing values, and a split that would get no row.
    """
    ratios = {name: ratio for name in SPLITS if (ratio := splits.ratios.get(name, 0)) > 0}
    if splits.strategy == "none":
        conditions = {"train": "true"}
    elif splits.strategy == "hash":
        _check_values(connection, splits.key, "spec.splits.key", columns)
        conditions = _by_hash(splits, ratios)
    else:
        conditions = _by_time(connection, splits, ratios, columns, rows)
    for name, condition in conditions.items():
        if scalar(connection, f"SELECT count(*) FROM this WHERE {condition}") == 0:
            raise UserFailure(
                Reason.BAD_DATA,
                f"spec.splits gives no row to {name}, out of {rows}: use more rows or other ratios",
            )
    return conditions


def bucket_sql(splits: SplitsTask) -> str:
    """0 to 9999 from the first 15 hex digits of md5("salt|key|..."): the same in every engine and version."""
    text = " || '|' || ".join([literal(splits.salt), *(f"CAST({quoted(name)} AS VARCHAR)" for name in splits.key)])
    return f"('0x' || substr(md5({text}), 1, 15))::BIGINT % {BUCKETS}"


def boundaries(ratios: Mapping[str, int], size: int) -> dict[str, tuple[int, int]]:
    """[from, to) of each split in 0 ... size, in proportion to the ratios."""
    total, low, done, found = sum(ratios.values()), 0, 0, {}
    for name, ratio in ratios.items():
        done += ratio
        high = round(size * done / total)
        found[name] = (low, high)
        low = high
    return found


def _by_hash(splits: SplitsTask, ratios: Mapping[str, int]) -> dict[str, str]:
    bucket = bucket_sql(splits)
    return {
        name: f"{bucket} >= {low} AND {bucket} < {high}" for name, (low, high) in boundaries(ratios, BUCKETS).items()
    }


def _by_time(
    connection: duckdb.DuckDBPyConnection,
    splits: SplitsTask,
    ratios: Mapping[str, int],
    columns: Sequence[Column],
    rows: int,
) -> dict[str, str]:
    """Oldest rows first. Rows of equal time stay together, on the later side of a boundary."""
    name = splits.time or ""
    types = {column.name: column.type for column in columns}
    check_columns("spec.columns.time", [name], types)
    if types[name] not in ORDERED:
        raise UserFailure(
            Reason.BAD_DATA, f"spec.columns.time names {name}, a {types[name]}: cast it to a timestamp in the SQL"
        )
    _check_values(connection, [name], "spec.columns.time", columns)
    time = quoted(name)
    ends = [high for _, high in boundaries(ratios, rows).values()][:-1]
    cuts = [f"(SELECT {time} FROM this ORDER BY {time} LIMIT 1 OFFSET {min(end, rows - 1)})" for end in ends]
    conditions = {}
    for number, split in enumerate(ratios):
        later = f"{time} >= {cuts[number - 1]}" if number > 0 else "true"
        earlier = f"{time} < {cuts[number]}" if number < len(cuts) else "true"
        conditions[split] = f"{later} AND {earlier}"
    return conditions


def _check_values(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], where: str, columns: Sequence[Column]
) -> None:
    check_columns(where, names, {column.name: column.type for column in columns})
    for name in names:
        nulls = scalar(connection, f"SELECT count(*) FROM this WHERE {quoted(name)} IS NULL")
        if nulls:
            raise UserFailure(
                Reason.BAD_DATA, f"{where} names {name}, which is missing in {nulls} rows: fill or filter it in the SQL"
            )
