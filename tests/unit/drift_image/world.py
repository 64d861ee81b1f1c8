"""A store with a published model, and traffic and labels as servers leave them there."""

import io
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.store import StoreConfig, captures, labels, model_manifest
from modelyard.contract.tasks import CheckTask, GateTask, ModelTask, WindowTask
from modelyard_kit.model import publish_file
from modelyard_kit.profile import publish_profile
from modelyard_kit.skops_format import save_model
from modelyard_kit.store import Store
from modelyard_kit.tabular import arrow_schema, table_frame

FEATURES = [Column(name="x", type="float64"), Column(name="colour", type="string")]
NOW = datetime.now(UTC).replace(microsecond=0)
TYPES = {"time": pa.timestamp("us", tz="UTC"), "status": pa.int32()}


def features(rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {"x": rng.normal(size=rows) + shift, "colour": rng.choice(["red", "green", "blue"], rows)}
    return pa.table(columns, schema=arrow_schema(FEATURES))


def truth(table: pa.Table) -> list[str]:
    """What the good model knows: up where x is positive."""
    return ["up" if value > 0 else "down" for value in table["x"].to_pylist()]


class World:
    def __init__(self, folder: Path, store: Store | None = None) -> None:
        (folder / "store").mkdir()
        self.folder = folder
        self.store = store or Store(StoreConfig(uri=f"file://{folder}/store"))
        self._numbers = itertools.count()

    def model(
        self,
        name: str,
        upside_down: float = 0.0,
        task: Literal["classification", "regression"] = "classification",
        metrics: dict[str, float] | None = None,
        pii: Sequence[str] = (),
    ) -> ModelTask:
        """A model of `truth`, trained with a share of wrong labels; above a half it is wrong on most rows. Features
        that are `pii` are not profiled."""
        table = features(2000, seed=1)
        rng = np.random.default_rng(0)
        known = truth(table)
        taught = [("down" if label == "up" else "up") if rng.random() < upside_down else label for label in known]
        encode = ColumnTransformer([("n", "passthrough", ["x"]), ("w", OneHotEncoder(sparse_output=False), ["colour"])])
        frame = table_frame(table, FEATURES)
        last = LogisticRegression() if task == "classification" else LinearRegression()
        estimator = make_pipeline(encode, last).fit(
            frame, taught if task == "classification" else 2 * (1 - upside_down) * frame["x"]
        )
        path, types = save_model(estimator, self.folder)
        kind: Any = "string" if task == "classification" else "float64"
        predictions = pa.array(estimator.predict(frame).tolist(), arrow_schema([Column(name="p", type=kind)])[0].type)
        with_predictions = table.append_column("prediction", predictions)
        marked = [c.model_copy(update={"pii": True}) if c.name in pii else c for c in FEATURES]
        columns = [*(c for c in marked if not c.pii), Column(name="prediction", type=kind)]
        manifest = ModelManifest(
            format="skops",
            task=task,
            files=[publish_file(self.store, path)],
            trusted_types=types,
            features=marked,
            label=Column(name="y", type=kind, role="label"),
            classes=["down", "up"] if task == "classification" else [],
            metrics=metrics or {"accuracy": 0.98, "f1": 0.98, "rocAuc": 0.99},
            profile_digest=publish_profile(self.store, with_predictions, columns, 20, 50),
            dataset_name="d",
            dataset_digest="sha256:0",
            created_at="2024-01-01T00:00:00Z",
        )
        digest = digest_of(manifest.wire())
        self.store.put_manifest(model_manifest("ns", name, digest), manifest)
        return ModelTask(training_job=name, model_digest=digest)

    def capture(
        self,
        model: ModelTask,
        table: pa.Table,
        predictions: Sequence[Any],
        ago: timedelta = timedelta(minutes=5),
        status: int = 200,
        scores: Sequence[float | None] | None = None,
    ) -> list[str]:
        """One file of rows a second apart, the newest `ago`; returns their ids, oldest first."""
        rows, number = table.num_rows, next(self._numbers)
        ids = [f"r{number}-{row:05d}" for row in range(rows)]
        times = [NOW - ago - timedelta(seconds=rows - row) for row in range(rows)]
        columns: dict[str, Any] = {
            "inference_id": ids,
            "time": pa.array(times, TYPES["time"]),
            "revision": ["v1"] * rows,
            "variant": ["stable"] * rows,
            "model_digest": [model.model_digest] * rows,
            "status": pa.array([status] * rows, TYPES["status"]),
            "latency_ms": [1.0] * rows,
            "prediction": predictions,
            "score": pa.array(scores or [None] * rows, pa.float64()),
            **{f"f:{name}": table[name] for name in table.column_names},
        }
        self._write(captures("ns", "shop"), pa.table(columns), number)
        return ids

    def label(self, ids: Sequence[str], values: Sequence[str], ago: timedelta = timedelta(minutes=1)) -> None:
        times = pa.array([NOW - ago] * len(ids), TYPES["time"])
        table = pa.table({"inference_id": list(ids), "time": times, "label": pa.array(values, pa.string())})
        self._write(labels("ns", "shop"), table, next(self._numbers))

    def check(self, model: ModelTask, **changes: Any) -> CheckTask:
        task = CheckTask(
            namespace="ns",
            name="watch",
            store=self.store.config,
            deployment="shop",
            training_job=model.training_job,
            model_digest=model.model_digest,
            window=WindowTask(rows=1000, min_rows=100),
        )
        return task.model_copy(update=changes)

    def gate(self, champion: ModelTask, challenger: ModelTask, **changes: Any) -> GateTask:
        task = GateTask(
            namespace="ns",
            name="watch",
            store=self.store.config,
            deployment="shop",
            champion=champion,
            challenger=challenger,
            newer_than=f"{NOW - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
            rows=200,
        )
        return task.model_copy(update=changes)

    def _write(self, prefix: str, table: pa.Table, number: int) -> None:
        """A file for every hour, as servers write them."""
        hours = [moment.strftime("dt=%Y-%m-%d/hh=%H") for moment in table["time"].to_pylist()]
        for hour in set(hours):
            buffer = io.BytesIO()
            pq.write_table(table.filter(pa.array([each == hour for each in hours])), buffer)
            self.store.put(f"{prefix}{hour}/pod-{number}.parquet", buffer.getvalue())
