"""Captured requests and labels as Arrow tables with the contract's columns.

The schema depends on the model's features and task only, so all files of a revision can be read as one data set;
features keep their Arrow types (nothing is cast to text), an absent prediction (status 500) is null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from modelyard.contract.capture import FEATURE_PREFIX, LABEL_COLUMNS, META, PREDICTION, SCORE
from modelyard.contract.manifest import ModelManifest
from modelyard_kit.model import Prediction
from modelyard_kit.tabular import ARROW_TYPES
from modelyard_serving.rows import Rows, joined

TIME = pa.timestamp("us", tz="UTC")
META_TYPES = dict(zip(META, (pa.string(), TIME, *[pa.string()] * 3, pa.int32(), pa.float64()), strict=True))
LABEL_SCHEMA = pa.schema(list(zip(LABEL_COLUMNS, (pa.string(), TIME, pa.string()), strict=True)))

SHADOW_SCHEMA = pa.schema(
    [
        ("inference_id", pa.string()),
        ("time", TIME),
        *((name, pa.string()) for name in ("revision", PREDICTION, "shadow")),
    ]
)


@dataclass(slots=True)  # a frozen one takes three times as long to make
class CaptureRecord:
    """One request: `time` in UTC, `size` its bytes as they came, `prediction` None where the model failed."""

    time: datetime
    size: int
    inference_id: str
    rows: Rows
    prediction: Prediction | None
    variant: str
    status: int
    latency_ms: float

    @property
    def count(self) -> int:
        return self.rows.count


@dataclass(frozen=True)
class LabelRecord:
    time: datetime
    inference_id: str  # of a row: "<request id>/<i>" where its request had several
    label: str
    size: int = 64
    count: int = 1


@dataclass(frozen=True)
class ShadowRecord:
    """One row that was predicted by two revisions: `own` is what the caller got, None where this server had none."""

    time: datetime
    request_id: str
    row: int
    rows: int
    revision: str  # that of the other prediction
    own: object
    other: object
    size: int = 128
    count: int = 1


def capture_schema(manifest: ModelManifest) -> pa.Schema:
    prediction = pa.string() if manifest.task == "classification" else pa.float64()
    return pa.schema(
        [
            *META_TYPES.items(),
            (PREDICTION, prediction),
            (SCORE, pa.float64()),
            *((FEATURE_PREFIX + feature.name, ARROW_TYPES[feature.type]) for feature in manifest.features),
        ]
    )


def capture_table(
    records: Sequence[CaptureRecord], schema: pa.Schema, revision: str, digest: str, personal: Sequence[int] = ()
) -> pa.Table:
    """One row per predicted row, in the order of the records; null in the features at the places `personal`."""
    count = sum(record.count for record in records)
    columns = {
        "inference_id": [row_id(r.inference_id, row, r.count) for r in records for row in range(r.count)],
        "time": [r.time for r in records for _ in range(r.count)],
        "revision": [revision] * count,
        "variant": [r.variant for r in records for _ in range(r.count)],
        "model_digest": [digest] * count,
        "status": [r.status for r in records for _ in range(r.count)],
        "latency_ms": [r.latency_ms for r in records for _ in range(r.count)],
        PREDICTION: [value for r in records for value in (r.prediction.values if r.prediction else [None] * r.count)],
        SCORE: [value for r in records for value in _scores(r)],
    }
    features = list(joined([record.rows for record in records]).columns)
    for place in personal:
        features[place] = [None] * count
    values = [*columns.values(), *features]
    arrays = [pa.array(given, field.type) for given, field in zip(values, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def personal(manifest: ModelManifest) -> list[int]:
    """Places of the features that no captured row holds."""
    return [place for place, feature in enumerate(manifest.features) if feature.pii]


def _scores(record: CaptureRecord) -> Sequence[float | None]:
    return (record.prediction and record.prediction.scores) or [None] * record.count


def label_table(records: Sequence[LabelRecord]) -> pa.Table:
    rows = [[getattr(record, name) for record in records] for name in LABEL_COLUMNS]
    return pa.table(dict(zip(LABEL_COLUMNS, rows, strict=True)), schema=LABEL_SCHEMA)


def shadow_table(records: Sequence[ShadowRecord]) -> pa.Table:
    """Predictions as text, as both servers wrote them."""
    columns = {
        "inference_id": [row_id(r.request_id, r.row, r.rows) for r in records],
        "time": [r.time for r in records],
        "revision": [r.revision for r in records],
        PREDICTION: [None if r.own is None else str(r.own) for r in records],
        "shadow": [str(r.other) for r in records],
    }
    return pa.table(columns, schema=SHADOW_SCHEMA)


def row_id(inference_id: str, row: int, rows: int) -> str:
    return inference_id if rows == 1 else f"{inference_id}/{row}"
