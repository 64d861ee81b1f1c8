"""A real DuckDB in its sandbox, with whatever rows a test needs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from modelyard.contract.manifest import Column
from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import DatasetTask, SourceTask
from modelyard_dataset.sandbox import sandbox
from modelyard_dataset.table import make_table

Table = Callable[..., list[Column]]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with sandbox(tmp_path) as opened:
        yield opened


@pytest.fixture
def this(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Table:
    """Creates `this` from CSV text and a task's fields, as the build does."""

    def make(text: str, **fields: object) -> list[Column]:
        path = tmp_path / "a.csv"
        path.write_text(text)
        source = SourceTask(name="a", uri="s3://bucket/a.csv")
        task = DatasetTask.model_validate(
            {"namespace": "ns", "name": "d", "store": StoreConfig(uri="s3://b"), "sources": [source], **fields}
        )
        return make_table(connection, task, {"a": [path]})

    return make
