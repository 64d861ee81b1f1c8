"""Schema modes and expectations, on real rows."""

from typing import Any

import duckdb
import pytest

from modelyard.contract.manifest import Column
from modelyard.contract.tasks import ExpectationTask, FieldTask, RowCountTask, SchemaTask
from modelyard_dataset.gate import failed_expectations, row_count_message, schema_findings
from modelyard_kit.failure import UserFailure
from tests.unit.dataset_image.conftest import Table

CSV = "id,x,name\n1,0.5,a\n2,1.5,b\n2,,c\n4,9.0,\n"


def _failed(
    connection: duckdb.DuckDBPyConnection, table: list[Column], check: dict[str, Any]
) -> list[tuple[int, int, str]]:
    item = ExpectationTask(name="check", **check)
    found = failed_expectations(connection, [item], table, rows=4, current_rows=None)
    return [(one.failed, one.total, one.message) for one in found]


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ({"column": "x", "between": [0, 10]}, []),
        ({"column": "x", "between": [0, 1.5]}, [(1, 3, "1 of 3 values of x are not between 0 and 1.5")]),
        ({"column": "x", "between": [0, 1], "max_fail_ratio": 0.7}, []),
        ({"columns": ["id", "name"], "unique": True}, []),
        ({"columns": ["id"], "unique": True}, [(1, 4, "1 rows repeat the id of another")]),
        ({"column": "id", "not_null": True}, []),
        ({"column": "x", "not_null": True}, [(1, 4, "1 of 4 values of x are missing")]),
        ({"column": "x", "not_null": True, "max_fail_ratio": 0.25}, []),
        ({"row_count": RowCountTask(min=5)}, [(4, 4, "4 rows are fewer than 5")]),
        ({"sql": "select count(*) from this where x > 5", "equals": 1}, []),
        ({"sql": "select count(*) from this where x > 5"}, [(1, 4, "it gave 1, not 0")]),
    ],
)
def test_expectations(
    connection: duckdb.DuckDBPyConnection, this: Table, check: dict[str, Any], expected: list[tuple[int, int, str]]
) -> None:
    assert _failed(connection, this(CSV), check) == expected


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"column": "y", "between": [0, 1]}, "names y"),
        ({"column": "name", "between": [0, 1]}, "takes a number"),
        ({"sql": "select id, x from this"}, "must give one number"),
        ({"sql": "select * from a"}, "it may read this"),
        ({"sql": "select nope from this"}, r"spec\.expectations\[check\]\.sql: "),
    ],
)
def test_an_expectation_that_cannot_be_evaluated_is_the_users_to_mend(
    connection: duckdb.DuckDBPyConnection, this: Table, check: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserFailure, match=words):
        _failed(connection, this(CSV), check)


@pytest.mark.parametrize(
    ("wanted", "rows", "current", "failed"),
    [
        (RowCountTask(max_change_ratio=0.5), 150, 100, False),
        (RowCountTask(max_change_ratio=0.5), 151, 100, True),
        (RowCountTask(max_change_ratio=0.5), 49, 100, True),
        (RowCountTask(max_change_ratio=0.5), 9, None, False),
        (RowCountTask(max=8), 9, None, True),
    ],
)
def test_row_counts(wanted: RowCountTask, rows: int, current: int | None, failed: bool) -> None:
    assert bool(row_count_message(wanted, rows, current)) == failed


@pytest.mark.parametrize(
    ("mode", "fields", "expected"),
    [
        ("infer", [FieldTask(name="z", type="string")], []),
        ("atLeast", [FieldTask(name="id", type="int64", nullable=False)], []),
        ("atLeast", [FieldTask(name="x", type="float64", nullable=False)], ["column x has nulls"]),
        ("atLeast", [FieldTask(name="id", type="string")], ["column id is int64, not string"]),
        ("exact", [FieldTask(name="id", type="int64"), FieldTask(name="x", type="float64")], ["name is not in"]),
        ("atLeast", [FieldTask(name="z", type="string")], ["column z is missing"]),
    ],
)
def test_schema_modes(this: Table, mode: Any, fields: list[FieldTask], expected: list[str]) -> None:
    findings = schema_findings(SchemaTask(mode=mode, fields=fields), this(CSV))
    assert len(findings) == len(expected)
    assert all(words in finding for finding, words in zip(findings, expected, strict=True))
