"""Digests: equal content is equal whatever its order, and everything that matters makes a difference."""

from pathlib import Path

import pytest

from modelyard.contract.store import StoreConfig
from modelyard.contract.tasks import DatasetTask, SourceTask, SplitsTask
from modelyard_dataset.fetch import fetch_all
from modelyard_dataset.listing import SourceFile, inputs_digest
from modelyard_dataset.logical import logical_digest
from modelyard_dataset.recipe import recipe_digest
from modelyard_dataset.sandbox import sandbox
from modelyard_dataset.table import make_table

SOURCE = SourceTask(name="a", uri="s3://b/a.csv")
TASK = DatasetTask(namespace="ns", name="d", store=StoreConfig(uri="s3://b"), sources=[SOURCE])


def _logical(folder: Path, text: str) -> str:
    folder.mkdir()
    (folder / "a.csv").write_text(text)
    with sandbox(folder) as connection:
        columns = make_table(connection, TASK, {"a": [folder / "a.csv"]})
        return logical_digest(connection, columns)


def test_the_order_of_rows_and_columns_does_not_matter(tmp_path: Path) -> None:
    one = _logical(tmp_path / "1", "id,x\n1,0.5\n2,\n")
    assert _logical(tmp_path / "2", "x,id\n,2\n0.5,1\n") == one
    assert _logical(tmp_path / "3", "id,x\n1,0.50000000000000011\n2,\n") == one


@pytest.mark.parametrize(
    "text", ["id,x\n1,0.5\n", "id,x\n1,0.5\n2,\n2,\n", "id,x\n1,0.6\n2,\n", "id,y\n1,0.5\n2,\n", "id,x\n1,0.5\n2,0\n"]
)
def test_other_rows_have_another_digest(tmp_path: Path, text: str) -> None:
    assert _logical(tmp_path / "1", "id,x\n1,0.5\n2,\n") != _logical(tmp_path / "2", text)


@pytest.mark.parametrize(
    "change",
    [
        {"sql": "select 1"},
        {"splits": SplitsTask(strategy="hash", key=["id"])},
        {"bins": 10},
        {"sources": [SourceTask(name="b", uri="s3://b/a.csv")]},
    ],
)
def test_the_recipe_covers_what_shapes_a_version(change: dict[str, object]) -> None:
    assert recipe_digest(TASK.model_copy(update=change)) != recipe_digest(TASK)


def test_the_recipe_ignores_where_the_store_is_and_what_the_dataset_is_called() -> None:
    moved = TASK.model_copy(update={"store": StoreConfig(uri="s3://other"), "name": "e"})
    assert recipe_digest(moved) == recipe_digest(TASK)


def test_inputs_are_files_and_their_identity_in_any_order() -> None:
    files = [SourceFile(SOURCE, f"s3://b/{i}", "b", str(i), "etag:1", 1) for i in range(3)]
    assert inputs_digest(files) == inputs_digest(files[::-1])
    assert inputs_digest(files) != inputs_digest(files[:2])
    changed = SourceFile(SOURCE, "s3://b/2", "b", "2", "etag2:1", 1)
    assert inputs_digest([*files[:2], changed]) != inputs_digest(files)


def test_nothing_is_fetched_when_nothing_is_listed(tmp_path: Path) -> None:
    assert fetch_all([], TASK.store, tmp_path, lambda done, uri: None) == {}
