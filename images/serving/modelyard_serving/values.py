"""Turns one value of a request into the type its column has in the contract.

Strict on purpose: a number in a string column or a text in a number column is the caller's mistake, and is said so.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from modelyard.contract.manifest import ColumnType

Value = bool | int | float | str | datetime | date | None
INT64 = range(-(2**63), 2**63)


def to_bool(value: object) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise ValueError("expected true or false")


def to_int(value: object) -> Value:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:  # a parser's float beyond it is rounded
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in INT64:
        return value
    raise ValueError("expected a whole number of 64 bits")


def to_float(value: object) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # an integer beyond float64
            number = math.inf
        if math.isnan(number):
            return None
        if math.isfinite(number):
            return number
    raise ValueError("expected a finite number")


def to_string(value: object) -> Value:
    if isinstance(value, str):
        return value
    raise ValueError("expected a string")


def to_timestamp(value: object) -> Value:
    """RFC 3339 text; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is not None:
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("expected a time such as 2024-05-01T12:30:00Z")


def to_date(value: object) -> Value:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("expected a date such as 2024-05-01")


CONVERTERS: dict[ColumnType, Callable[[object], Value]] = {
    "bool": to_bool,
    "int64": to_int,
    "float64": to_float,
    "string": to_string,
    "timestamp": to_timestamp,
    "date": to_date,
}


_PLAIN: dict[ColumnType, type] = {"bool": bool, "int64": int, "float64": float, "string": str}


def is_plain(column_type: ColumnType, values: list[Any]) -> bool:
    """Whether all values are what their converter would return: told in one look at their types, for most requests."""
    plain = _PLAIN.get(column_type)
    if plain is None or (type(values[0]) is not plain if len(values) == 1 else set(map(type, values)) != {plain}):
        return False
    if plain is float:
        return math.isfinite(sum(values))
    return plain is not int or (min(values) in INT64 and max(values) in INT64)


def parse_text(text: str, column_type: ColumnType) -> object:
    """A CSV cell as the JSON value it stands for; what cannot be parsed stays text, for the converter to refuse."""
    if column_type == "string":
        return text or None
    text = text.strip()
    if not text:
        return None
    if column_type == "bool":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if column_type in ("int64", "float64"):
        for parse in (int, float):
            try:
                return parse(text)
            except ValueError:
                continue
    return text
