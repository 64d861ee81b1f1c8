"""The rows of one request as typed columns: what the model is asked and what is captured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from modelyard.contract.manifest import Column
from modelyard_serving.errors import RequestError
from modelyard_serving.values import CONVERTERS, Value, is_plain

MAX_ROWS = 100_000  # of a request: a small body can hold millions, each of them many objects


@dataclass(slots=True)
class Rows:
    """`columns` has the values of every feature of the model, in its order, as Python types; None is missing."""

    count: int
    columns: tuple[list[Value], ...]


def joined(several: Sequence[Rows]) -> Rows:
    """All rows, in order; they have the same columns."""
    columns = zip(*(rows.columns for rows in several), strict=True)
    return Rows(sum(rows.count for rows in several), tuple(list(chain.from_iterable(parts)) for parts in columns))


def check_count(rows: int) -> None:
    """Raises `RequestError` 413 for more rows than one request may have."""
    if rows > MAX_ROWS:
        raise RequestError(413, f"the request has {rows:,} rows: send at most {MAX_ROWS:,} at a time")


def rows_of_columns(features: Sequence[Column], given: Mapping[str, list[Any]]) -> Rows:
    """Checks names, lengths and types. Raises `RequestError` 400 that names the column and the row."""
    _check_names(features, given)
    count = len(given[features[0].name])
    if count == 0:
        raise RequestError(400, "the request has no rows: send at least one")
    check_count(count)
    for name, values in given.items():
        if len(values) != count:
            raise RequestError(
                400,
                f"column {name!r} has {len(values)} rows, column {features[0].name!r} has {count}: send equal lengths",
            )
    return Rows(count, tuple(typed(feature, given[feature.name]) for feature in features))


def rows_of_lists(features: Sequence[Column], given: Sequence[Any]) -> Rows:
    """Rows as lists of values in feature order."""
    check_count(len(given))
    for number, row in enumerate(given):
        if not isinstance(row, list):
            raise RequestError(400, f"row {number} is no list of values: send every row in the same form")
        if len(row) != len(features):
            names = ", ".join(feature.name for feature in features)
            raise RequestError(
                400, f"row {number} has {len(row)} values, the model takes {len(features)}: send {names}, in this order"
            )
    return rows_of_columns(
        features, {feature.name: [row[place] for row in given] for place, feature in enumerate(features)}
    )


def rows_of_objects(features: Sequence[Column], given: Sequence[Any]) -> Rows:
    """Rows as objects of value by feature name."""
    check_count(len(given))
    names = {feature.name for feature in features}
    for number, row in enumerate(given):
        if not isinstance(row, dict):
            raise RequestError(400, f"row {number} is no object of columns: send every row in the same form")
        if row.keys() != names:
            _check_names(features, row, f" in row {number}")
    return rows_of_columns(features, {name: [row[name] for row in given] for name in names})


def _check_names(features: Sequence[Column], given: Mapping[str, Any], where: str = "") -> None:
    if len(given) == len(features) and all(feature.name in given for feature in features):
        return
    known = [feature.name for feature in features]
    for name in sorted(set(given).difference(known)):
        raise RequestError(400, f"column {name!r}{where} is not known to the model: it takes {', '.join(known)}")
    for name in known:
        if name not in given:
            raise RequestError(400, f"column {name!r}{where} is missing: send it, as null where the value is not known")


def typed(feature: Column, values: list[Any]) -> list[Value]:
    """Raises `RequestError` 400 for the first value that the column cannot hold."""
    if is_plain(feature.type, values):
        return values
    convert = CONVERTERS[feature.type]
    typed: list[Value] = []
    for number, value in enumerate(values):
        try:
            found = None if value is None else convert(value)
        except ValueError as error:
            shown = "" if feature.pii else f", not {repr(value)[:60]}"  # callers keep answers in their logs
            raise RequestError(400, f"column {feature.name!r}, row {number}: {error}{shown}") from error
        if found is None and not feature.nullable:
            raise RequestError(
                400, f"column {feature.name!r}, row {number}: null is not allowed, send a {feature.type}"
            )
        typed.append(found)
    return typed
