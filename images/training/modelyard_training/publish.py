"""Publishes a measured model: its files, its profile, then the manifest that names them."""

import math
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from modelyard.contract.capture import PREDICTION
from modelyard.contract.document import digest_of
from modelyard.contract.manifest import Column, ColumnType, ModelManifest
from modelyard.contract.store import model_manifest
from modelyard.contract.tasks import TrainTask
from modelyard_kit.model import LoadedModel, publish_file
from modelyard_kit.profile import profile_column, profile_table, sample_bytes
from modelyard_kit.store import Store
from modelyard_kit.tabular import ARROW_TYPES
from modelyard_training.measure import predict
from modelyard_training.splits import Splits

BINS = 20
MAX_CATEGORIES = 50
EXAMPLE_ROWS = 3


def publish(
    store: Store, task: TrainTask, files: list[Path], model: LoadedModel, splits: Splits, metrics: dict[str, float]
) -> tuple[str, ModelManifest]:
    """Returns the model's digest and its complete manifest, once everything it names is in the store."""
    manifest = model.manifest.model_copy(
        update={
            "files": [publish_file(store, path) for path in files],
            "metrics": metrics,
            "profile_digest": _profile(store, model, splits),
            "example": _example(splits),
            "answers": _answers(model, splits),
        }
    )
    digest = digest_of(manifest.wire())
    store.put_manifest(model_manifest(task.namespace, task.name, digest), manifest)
    return digest, manifest


def _profile(store: Store, model: LoadedModel, splits: Splits) -> str:
    """Of the rows the model was fitted on; of its predictions on the rows it was measured on.

    For rows it was fitted on an overfitted model predicts what it never predicts again: that would look like drift.
    The sample, for people, has both of the training rows.
    """
    kind: ColumnType = "string" if model.manifest.task == "classification" else "float64"
    column = Column(name=PREDICTION, type=kind, nullable=False)
    names = [feature.name for feature in splits.features]
    sample = splits.train.select(names).append_column(PREDICTION, _predictions(model, splits.train, kind))
    profile = profile_table(
        splits.train, splits.features, BINS, MAX_CATEGORIES, store.put_blob(sample_bytes(sample, sample.column_names))
    )
    predicted = profile_column(_predictions(model, splits.test, kind), column, BINS, MAX_CATEGORIES)
    complete = profile.model_copy(update={"columns": [*profile.columns, predicted]})
    return store.put_blob(complete.canonical().encode())


def _predictions(model: LoadedModel, table: pa.Table, kind: ColumnType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(predict(model, table).values, ARROW_TYPES[kind])])


def _example(splits: Splits) -> dict[str, list[Any]]:
    rows = splits.train.slice(0, EXAMPLE_ROWS)
    return {column.name: [_plain(value) for value in rows[column.name].to_pylist()] for column in splits.features}


def _answers(model: LoadedModel, splits: Splits) -> list[str] | list[float]:
    """None where they could not be repeated: the example has no infinity, and JSON neither."""
    rows = splits.train.slice(0, EXAMPLE_ROWS)
    given = [value for column in splits.features for value in rows[column.name].to_pylist()]
    answers = predict(model, rows).values
    endless = any(isinstance(value, float) and math.isinf(value) for value in given)
    return [] if endless or any(isinstance(a, float) and not math.isfinite(a) for a in answers) else answers


def _plain(value: Any) -> str | float | int | bool | None:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    found: str | float | int | bool | None = value
    return found
