"""Publishes a measured model: its files, its profile, then the manifest that names them."""

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
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
STANDS_FOR: Mapping[ColumnType, Any] = {
    "bool": False,
    "int64": 0,
    "float64": 0.0,
    "string": "redacted",
    "timestamp": datetime(1970, 1, 1, tzinfo=UTC),
    "date": date(1970, 1, 1),
}

log = logging.getLogger(__name__)


def publish(
    store: Store, task: TrainTask, files: list[Path], model: LoadedModel, splits: Splits, metrics: dict[str, float]
) -> tuple[str, ModelManifest]:
    """Returns the model's digest and its complete manifest, once everything it names is in the store."""
    manifest = model.manifest.model_copy(
        update={
            "files": [publish_file(store, path) for path in files],
            "metrics": metrics,
            "profile_digest": _profile(store, model, splits),
            **_recorded(model, splits),
        }
    )
    digest = digest_of(manifest.wire())
    store.put_manifest(model_manifest(task.namespace, task.name, digest), manifest)
    return digest, manifest


def _profile(store: Store, model: LoadedModel, splits: Splits) -> str:
    """Of the rows the model was fitted on; of its predictions on the rows it was measured on.

    For rows it was fitted on an overfitted model predicts what it never predicts again: that would look like drift.
    The sample, for people, has both of the training rows. What is personal is in neither.
    """
    kind: ColumnType = "string" if model.manifest.task == "classification" else "float64"
    column = Column(name=PREDICTION, type=kind, nullable=False)
    features = [feature for feature in splits.features if not feature.pii]
    names = [feature.name for feature in features]
    sample = splits.train.select(names).append_column(PREDICTION, _predictions(model, splits.train, kind))
    profile = profile_table(
        splits.train, features, BINS, MAX_CATEGORIES, store.put_blob(sample_bytes(sample, sample.column_names))
    )
    predicted = profile_column(_predictions(model, splits.test, kind), column, BINS, MAX_CATEGORIES)
    complete = profile.model_copy(update={"columns": [*profile.columns, predicted]})
    return store.put_blob(complete.canonical().encode())


def _predictions(model: LoadedModel, table: pa.Table, kind: ColumnType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(predict(model, table).values, ARROW_TYPES[kind])])


def _recorded(model: LoadedModel, splits: Splits) -> dict[str, Any]:
    """Example rows, and what the model answers to them."""
    rows = _shown(splits)
    example = {column.name: [_plain(value) for value in rows[column.name].to_pylist()] for column in splits.features}
    try:
        return {"example": example, "answers": _answers(model, rows, splits.features)}
    except Exception as error:
        if not any(column.pii for column in splits.features):
            raise
        # What stands for a personal value may be new to a script's model: then there is no example that it answers.
        log.warning("no example rows are recorded: the model fails without the personal values: %s", error)
        return {}


def _shown(splits: Splits) -> pa.Table:
    """A few training rows with personal values left out: null, or where training had none a value that says nothing."""
    rows = splits.train.slice(0, EXAMPLE_ROWS)
    for column in (column for column in splits.features if column.pii):
        place, kind = rows.schema.get_field_index(column.name), ARROW_TYPES[column.type]
        value = None if column.nullable else STANDS_FOR[column.type]
        rows = rows.set_column(place, column.name, pa.array([value] * rows.num_rows, kind))
    return rows


def _answers(model: LoadedModel, rows: pa.Table, features: Sequence[Column]) -> list[str] | list[float]:
    """None where they could not be repeated: the example has no infinity, and JSON neither."""
    given = [value for column in features for value in rows[column.name].to_pylist()]
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
