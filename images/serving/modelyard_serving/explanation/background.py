"""The rows that an explanation compares with: a few of the sample that the model's profile names."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from modelyard.contract.manifest import ModelManifest
from modelyard_kit.profile import load_profile
from modelyard_kit.store import Store
from modelyard_kit.tabular import arrow_schema
from modelyard_serving.errors import RequestError

ROWS = 100
Columns = Sequence[Sequence[Any]]


def background(store: Store, manifest: ModelManifest) -> Columns:
    """One list of plain values per feature, of at most ROWS rows to train on, in random order by a fixed seed.

    Raises StoreError, or RequestError 501 where the model was published without a sample, or with one that lacks a
    feature: what is personal is in none.
    """
    digest = load_profile(store, manifest.profile_digest).sample_digest
    if digest is None:
        raise RequestError(501, "the model has no sample of its training data to compare with: train it again")
    schema = arrow_schema(manifest.features)
    file = pq.ParquetFile(io.BytesIO(store.blob_bytes(digest)))
    for name in schema.names:
        if name not in file.schema_arrow.names:
            said = f"column {name!r} is not in the sample of the model's training data, as no personal column is"
            raise RequestError(501, f"{said}: the model cannot be explained")
    table = file.read(schema.names).select(schema.names).cast(schema)
    if not table.num_rows:
        raise RequestError(501, "the sample of the model's training data has no rows: train it again")
    chosen = np.random.default_rng(0).permutation(table.num_rows)[:ROWS]
    return [column.to_pylist() for column in table.take(chosen).columns]
