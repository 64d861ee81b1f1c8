"""Values by column type, and that no form of request changes the order of rows."""

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.contract.manifest import Column, ColumnType
from modelyard_kit.tabular import columns_table
from modelyard_serving.errors import RequestError
from modelyard_serving.invocations import rows_of_csv, rows_of_json
from modelyard_serving.rows import Rows, rows_of_columns
from modelyard_serving.tensors import rows_of_tensors
from modelyard_serving.values import CONVERTERS, is_plain
from tests.unit.serving_image.models import FEATURES, v2_body

NOON = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
REFUSED = object()


@pytest.mark.parametrize(
    ("column_type", "value", "expected"),
    [
        ("bool", True, True),
        ("bool", 0, False),
        ("bool", 2, REFUSED),
        ("bool", "true", REFUSED),
        ("int64", 7, 7),
        ("int64", 7.0, 7),
        ("int64", 7.5, REFUSED),
        ("int64", True, REFUSED),
        ("int64", 2**63, REFUSED),
        ("int64", -(2**63), -(2**63)),
        ("int64", float(-(2**63) - 1), REFUSED),
        ("float64", 7, 7.0),
        ("float64", float("nan"), None),
        ("float64", float("inf"), REFUSED),
        pytest.param("float64", 10**400, REFUSED, id="an integer beyond float64"),
        ("string", "seven", "seven"),
        ("string", 7, REFUSED),
        ("timestamp", "2024-05-01T12:30:00Z", NOON),
        ("timestamp", "2024-05-01T14:30:00+02:00", NOON),
        ("timestamp", "2024-05-01T12:30:00", NOON),
        ("timestamp", 1714566600, REFUSED),
        ("date", "2024-05-01", date(2024, 5, 1)),
        ("date", "May", REFUSED),
    ],
)
def test_a_value_becomes_its_columns_type_or_is_refused(column_type: ColumnType, value: Any, expected: Any) -> None:
    features = [Column(name="c", type=column_type)]
    if expected is REFUSED:
        with pytest.raises(RequestError, match="column 'c', row 0"):
            rows_of_columns(features, {"c": [value]})
    else:
        assert rows_of_columns(features, {"c": [value]}).columns == ([expected],)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
tables = st.lists(
    st.tuples(st.floats(allow_nan=False, allow_infinity=False), cells, st.integers(-(2**63), 2**63 - 1)), min_size=1
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tables)
def test_the_rows_of_every_form_are_the_same_in_the_same_order(table: list[tuple[float, str, int]]) -> None:
    names = [feature.name for feature in FEATURES]
    columns = {name: [row[place] for row in table] for place, name in enumerate(names)}
    expected = rows_of_columns(FEATURES, columns)
    by_name = columns_table(expected.columns, FEATURES).to_pylist()
    assert by_name == [dict(zip(names, row, strict=True)) for row in table]
    lists = json.dumps([list(row) for row in table]).encode()
    objects = json.dumps({"instances": by_name}).encode()
    forms: list[Rows] = [
        rows_of_json(FEATURES, lists),
        rows_of_json(FEATURES, objects),
        rows_of_tensors(FEATURES, v2_body(columns)["inputs"]),
    ]
    assert all(form == expected for form in forms)


@settings(deadline=None)
@given(tables)
def test_csv_carries_every_value_but_tells_no_empty_string_from_null(table: list[tuple[float, str, int]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows((repr(price), region, hour) for price, region, hour in table)
    found = columns_table(rows_of_csv(FEATURES, text.getvalue().encode()).columns, FEATURES).to_pylist()
    assert [(row["price"], row["region"] or "", row["hour"]) for row in found] == table


@given(
    st.sampled_from(list(CONVERTERS)),
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.floats(), max_size=1)),
        min_size=1,
        max_size=4,
    ),
)
def test_what_is_taken_for_plain_is_what_its_converter_would_return(kind: ColumnType, values: list[Any]) -> None:
    if is_plain(kind, values):
        assert list(map(CONVERTERS[kind], values)) == values


@pytest.mark.parametrize(
    ("kind", "values"),
    [("bool", [True]), ("int64", [1, -(2**63)]), ("float64", [1.5, 0.0]), ("string", ["a"])],
)
def test_most_values_are_plain(kind: ColumnType, values: list[Any]) -> None:
    assert is_plain(kind, values)
