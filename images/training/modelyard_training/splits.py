"""The rows of a pinned version as what a model is fitted on, stopped by and measured on."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.contract.capture import PREDICTION
from modelyard.contract.manifest import Column, DatasetManifest
from modelyard.contract.reasons import Reason
from modelyard_kit import tabular
from modelyard_kit.failure import UserFailure
from modelyard_kit.store import Store

HELD_OUT = 0.2  # of the training rows, where the dataset has no split to measure on

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Splits:
    """`measured_on` says in words which rows `test` holds. `validation` may have no rows."""

    features: list[Column]
    label: Column
    train: pa.Table
    validation: pa.Table
    test: pa.Table
    measured_on: str


def load_splits(store: Store, manifest: DatasetManifest, folder: Path, seed: int) -> Splits:
    """Downloads and verifies the version. Raises UserFailure where no model can be made of it."""
    features, label = _roles(manifest)
    train, validation, test = (
        _present(tabular.read_split(store, manifest, split, folder), label, split)
        for split in ("train", "validation", "test")
    )
    if not train.num_rows:
        raise UserFailure(Reason.BAD_DATA, "the dataset's split train has no rows: check its sources and spec.splits")
    measured_on = "the test split"
    if not test.num_rows and validation.num_rows:
        test, measured_on = validation, "the validation split, as there is no test split"
    elif not test.num_rows:
        train, test = _hold_out(train, manifest, seed)
        measured_on = f"{test.num_rows} held-out rows of the train split, as there is no other split"
    log.info("%d rows to train on, %d to stop by, measured on %s", train.num_rows, validation.num_rows, measured_on)
    return Splits(features, label, train, validation, test, measured_on)


def _roles(manifest: DatasetManifest) -> tuple[list[Column], Column]:
    features, label = tabular.features(manifest.columns), tabular.label(manifest.columns)
    if label is None:
        raise UserFailure(
            Reason.MISSING_COLUMN, "the dataset names no label: set spec.columns.label of the Dataset to a column"
        )
    if not features:
        raise UserFailure(
            Reason.MISSING_COLUMN, "the dataset has no features: every column is its key, time or label; select more"
        )
    if any(column.name == PREDICTION for column in features):
        raise UserFailure(
            Reason.BAD_DATA,
            f"a feature may not be named {PREDICTION}: rename the column in the Dataset's spec.transform.sql",
        )
    return features, label


def _present(table: pa.Table, label: Column, split: str) -> pa.Table:
    """The table, once it is known that every row has its label."""
    values = table[label.name]
    missing = values.null_count
    if pa.types.is_floating(values.type):
        missing += pc.sum(pc.is_nan(values)).as_py() or 0
    if missing:
        raise UserFailure(
            Reason.BAD_DATA,
            f"label column {label.name} is missing in {missing} of {table.num_rows} rows of split {split}: "
            f"leave them out in the Dataset's spec.transform.sql (where {label.name} is not null)",
        )
    return table


def _hold_out(train: pa.Table, manifest: DatasetManifest, seed: int) -> tuple[pa.Table, pa.Table]:
    """The newest rows where the dataset has a time, as models are used on what comes later; else drawn by `seed`."""
    rows = train.num_rows
    held = max(1, round(rows * HELD_OUT))
    if held >= rows:
        raise UserFailure(Reason.BAD_DATA, "one row is not enough to train on and measure: the dataset needs more rows")
    time = next((column.name for column in manifest.columns if column.role == "time"), None)
    if time is not None:
        order = pc.sort_indices(train, sort_keys=[(time, "ascending")]).to_numpy()
    else:
        order = np.random.default_rng(seed).permutation(rows)
    return train.take(pa.array(np.sort(order[:-held]))), train.take(pa.array(np.sort(order[-held:])))
