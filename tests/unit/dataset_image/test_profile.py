"""The profile of a split: of every column but the personal ones."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelyard.contract.manifest import Column
from modelyard.contract.store import StoreConfig
from modelyard_dataset.files import publish_profile
from modelyard_kit.profile import load_profile
from modelyard_kit.store import Store

COLUMNS = [Column(name="age", type="int64"), Column(name="email", type="string")]


@pytest.mark.parametrize("marked", [True, False])
def test_a_personal_column_is_in_neither_profile_nor_sample(tmp_path: Path, marked: bool) -> None:
    (tmp_path / "store").mkdir()
    store = Store(StoreConfig(uri=f"file://{tmp_path}/store"))
    path = tmp_path / "train.parquet"
    pq.write_table(pa.table({"age": [1, 2], "email": ["a@example.com", "b@example.com"]}), path)
    columns = [COLUMNS[0], COLUMNS[1].model_copy(update={"pii": marked or None})]
    digest = publish_profile(store, path, columns, 20, 50)
    profile = load_profile(store, digest)
    sample = pq.read_table(io.BytesIO(store.blob_bytes(profile.sample_digest or "")))
    kept = ["age"] if marked else ["age", "email"]
    assert [column.name for column in profile.columns] == sample.column_names == kept
    assert (b"example.com" in store.blob_bytes(digest)) is not marked
