"""Splits: every row once, no row moves as data grows, equal keys and equal times stay together."""

import hashlib
from itertools import chain, pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.contract.tasks import SplitsTask
from modelyard_dataset.splits import BUCKETS, boundaries, bucket_sql, split_conditions
from modelyard_kit.failure import UserFailure
from tests.unit.dataset_image.conftest import Table

RATIOS = {"train": 80, "validation": 10, "test": 10}
HASH = SplitsTask(strategy="hash", key=["id"], salt="v1", ratios=RATIOS)
TIME = SplitsTask(strategy="time", time="t", ratios=RATIOS)


def _split(
    connection: duckdb.DuckDBPyConnection, this: Table, splits: SplitsTask, rows: list[str]
) -> dict[str, list[int]]:
    columns = this("\n".join(["id,t", *rows]) + "\n")
    conditions = split_conditions(connection, splits, columns, len(rows))
    return {
        name: [row[0] for row in connection.execute(f"SELECT id FROM this WHERE {condition} ORDER BY id").fetchall()]
        for name, condition in conditions.items()
    }


def test_a_bucket_is_md5_of_salt_and_key(connection: duckdb.DuckDBPyConnection, this: Table) -> None:
    this("id,t\n42,1\n")
    found = connection.execute(f"SELECT {bucket_sql(HASH)} FROM this").fetchall()
    assert found == [(int(hashlib.md5(b"v1|42").hexdigest()[:15], 16) % BUCKETS,)]  # noqa: S324


def test_rows_stay_where_they_are_as_data_grows(connection: duckdb.DuckDBPyConnection, this: Table) -> None:
    few = _split(connection, this, HASH, [f"{i},0" for i in range(500)])
    connection.execute("DROP TABLE this; DROP TABLE a")
    many = _split(connection, this, HASH, [f"{i},0" for i in range(1000)])
    assert sorted(chain(*many.values())) == list(range(1000))
    assert 750 < len(many["train"]) < 850
    assert all([i for i in many[name] if i < 500] == few[name] for name in RATIOS)


def test_oldest_rows_train_and_newest_test_however_the_task_was_written(
    connection: duckdb.DuckDBPyConnection, this: Table
) -> None:
    """Canonical JSON sorts keys, so the task's own order of the ratios says nothing."""
    sent = SplitsTask.model_validate_json(TIME.canonical())
    found = _split(connection, this, sent, [f"{i},{i}" for i in range(100)])
    assert found == {"train": list(range(80)), "validation": list(range(80, 90)), "test": list(range(90, 100))}


def test_time_splits_are_in_order_and_ties_stay_together(connection: duckdb.DuckDBPyConnection, this: Table) -> None:
    found = _split(connection, this, TIME, [f"{i},{i // 7}" for i in reversed(range(100))])
    assert list(chain(*found.values())) == list(range(100))
    assert {name: len(ids) for name, ids in found.items()} == {"train": 77, "validation": 7, "test": 16}


@pytest.mark.parametrize(
    ("splits", "rows", "words"),
    [
        (HASH, ["1,1", ",2"], r"spec\.splits\.key names id, which is missing in 1 rows"),
        (TIME, ["1,5"] * 50, "gives no row to train"),
        (TIME, ["1,soon"] * 50, "a string: cast it to a timestamp"),
        (TIME.model_copy(update={"time": "when"}), ["1,1"], r"spec\.columns\.time names when"),
        (HASH.model_copy(update={"key": ["idd"]}), ["1,1"], "did you mean id"),
    ],
)
def test_what_cannot_be_split_names_the_field(
    connection: duckdb.DuckDBPyConnection, this: Table, splits: SplitsTask, rows: list[str], words: str
) -> None:
    with pytest.raises(UserFailure, match=words):
        _split(connection, this, splits, rows)


@settings(deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1, max_size=5), st.integers(1, 10_000))
def test_boundaries_cover_everything_once(ratios: list[int], size: int) -> None:
    found = list(boundaries({str(i): ratio for i, ratio in enumerate(ratios)}, size).values())
    assert found[0][0] == 0
    assert found[-1][1] == size
    assert all(before[1] == after[0] for before, after in pairwise(found))


def test_without_a_strategy_all_rows_train(connection: duckdb.DuckDBPyConnection, this: Table, tmp_path: Path) -> None:
    assert _split(connection, this, SplitsTask(), ["1,1", "2,2"]) == {"train": [1, 2]}
