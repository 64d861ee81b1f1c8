"""A store in a folder with a published dataset version, as the dataset image leaves it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import BlobFile, Column, DatasetManifest
from modelyard.contract.store import StoreConfig, dataset_manifest
from modelyard.contract.tasks import TrainTask
from modelyard_kit.profile import sample_bytes
from modelyard_kit.store import Store
from modelyard_kit.tabular import arrow_schema

Publish = Callable[[list[Column], Mapping[str, Mapping[str, Sequence[Any]]]], TrainTask]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return Store(StoreConfig(uri=f"file://{tmp_path}/store"))


@pytest.fixture
def publish(store: Store) -> Publish:
    """Stores splits of rows by column and gives the task that trains on them."""

    def published(columns: list[Column], splits: Mapping[str, Mapping[str, Sequence[Any]]]) -> TrainTask:
        files = []
        for split, rows in splits.items():
            table = pa.table(dict(rows), schema=arrow_schema(columns))
            content = sample_bytes(table, table.column_names, rows=10**9)
            digest = store.put_blob(content)
            files.append(BlobFile(digest=digest, bytes=len(content), rows=table.num_rows, split=split))
        manifest = DatasetManifest(
            files=files,
            columns=columns,
            rows=sum(file.rows for file in files),
            profile_digest="",
            logical_digest="",
            inputs_digest="",
            recipe_digest="",
            created_at="2024-01-01T00:00:00Z",
            checked_at="2024-01-01T00:00:00Z",
        )
        digest = digest_of(manifest.wire())
        store.put_manifest(dataset_manifest("ns", "data", digest), manifest)
        return TrainTask(
            namespace="ns",
            name="churn",
            store=store.config,
            dataset_name="data",
            dataset_digest=digest,
            recipe="tabular",
        )

    return published
