"""The trained model as an ONNX graph, if that answers as the model does: a parity gate decides, on real rows.

Rows with missing values and unknown words are asked as well: converters are wrong there first.
"""

import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from modelyard.contract.manifest import Column
from modelyard_kit.boosted import BoostedModel
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_kit.onnx_format import FILE, MISSING, OnnxModel, load
from modelyard_kit.skops_format import SklearnModel
from modelyard_training.boosted_graph import boosted_graph

ROWS = 1000  # of training and of test rows each
TOLERANCE = 1e-4  # of a probability, or of a value relative to itself
BEYOND = 0.001  # the share of real rows that may differ by more; classes never do
TARGETS = {"": 21, "ai.onnx.ml": 3}


class NoExportError(Exception):
    """Why the native file serves."""


def export(model: LoadedModel, train: pa.Table, test: pa.Table, folder: Path) -> OnnxModel:
    """Writes FILE to `folder` and loads it. Raises NoExportError where no graph answers alike."""
    path = folder / FILE
    try:
        path.write_bytes(_graph(model))
        exported = load(path, model.manifest.model_copy(update={"format": "onnx"}))
    except NoExportError:
        raise
    except TaskFailure as failure:
        raise NoExportError(failure.message) from failure
    except Exception as error:  # converters raise whatever comes to their minds
        raise NoExportError(f"it cannot be converted: {type(error).__name__}: {error}"[:300]) from error
    compare(model, exported, train.slice(0, ROWS), test.slice(0, ROWS))
    return exported


def _graph(model: LoadedModel) -> bytes:
    if isinstance(model, BoostedModel):
        return boosted_graph(model)
    if not isinstance(model, SklearnModel):
        raise NoExportError(f"nothing converts {model.manifest.format}")
    if model.manifest.task == "classification" and not hasattr(model.estimator, "predict_proba"):
        raise NoExportError("the classifier has no predict_proba")
    return convert(model.estimator, model.manifest.features)


def convert(estimator: Any, features: list[Column]) -> bytes:
    """The graph takes the features in this order: each as a column, or all as one matrix where none is text."""
    if isinstance(_first(estimator), ColumnTransformer):
        inputs = [
            (c.name, StringTensorType([None, 1]) if _is_text(c) else FloatTensorType([None, 1])) for c in features
        ]
    else:
        inputs = [("features", FloatTensorType([None, len(features)]))]
    given = _without_none(deepcopy(estimator))
    options = {id(given): {"zipmap": False}} if is_classifier(given) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = convert_sklearn(given, initial_types=inputs, target_opset=TARGETS, options=options)
    found: bytes = graph.SerializeToString()
    return found


def compare(model: LoadedModel, exported: LoadedModel, train: pa.Table, test: pa.Table) -> None:
    """Raises NoExportError where the graph answers otherwise."""
    real = pa.concat_tables([train, test])
    try:
        differs = _difference(model.predict(real), exported.predict(real))
        if (share := float(np.mean(differs > TOLERANCE))) > BEYOND or np.isinf(differs).any():
            raise NoExportError(f"it answers otherwise for {share:.1%} of {len(differs)} rows")
        for what, rows in _strange(test.slice(0, 1), model.manifest.features):
            try:
                expected = model.predict(rows)
            except Exception:  # noqa: S112 - what the model itself refuses is no measure
                continue
            if _difference(expected, exported.predict(rows)).max() > TOLERANCE:
                raise NoExportError(f"it answers otherwise for {what}")
    except NoExportError:
        raise
    except Exception as error:
        raise NoExportError(f"it fails where the model does not: {type(error).__name__}: {error}"[:300]) from error


def _difference(expected: Prediction, found: Prediction) -> Any:
    """Of each row. Another class is an infinite one."""
    if expected.probabilities is None or found.probabilities is None:
        left, right = np.asarray(expected.values, dtype=float), np.asarray(found.values, dtype=float)
        return np.abs(left - right) / np.maximum(1.0, np.abs(left))
    differs = np.abs(expected.probabilities - found.probabilities).max(axis=1)
    other = np.asarray(expected.values, dtype=object) != np.asarray(found.values, dtype=object)
    return np.where(other, np.inf, differs)


def _strange(row: pa.Table, features: list[Column]) -> Iterator[tuple[str, pa.Table]]:
    """The row with a missing value in each column that may have one, and with an unknown word in each of text."""
    for column in features:
        values: list[tuple[str, str | None]] = [(f"a missing {column.name}", None)] if column.nullable else []
        values += [(f"an unknown {column.name}", "\ue001unknown")] if _is_text(column) else []
        place = row.schema.get_field_index(column.name)
        for what, value in values:
            yield what, row.set_column(place, column.name, pa.array([value], row.schema.field(place).type))


def _first(estimator: Any) -> Any:
    return _first(estimator.steps[0][1]) if isinstance(estimator, Pipeline) else estimator


def _is_text(column: Column) -> bool:
    return column.type == "string"


def _without_none(part: Any) -> Any:
    """Encoders know missing text as None, for which ONNX has no string. Changes `part`, and returns it."""
    if isinstance(categories := getattr(part, "categories_", None), list):
        part.categories_ = [_spelled(known) for known in categories]
    for _, step, *_ in [*getattr(part, "steps", ()), *getattr(part, "transformers_", ())]:
        _without_none(step)
    return part


def _spelled(known: Any) -> Any:
    """MISSING is last in the order of text, as None is for scikit-learn."""
    if known.dtype != object:
        return known
    return np.array([MISSING if word is None else word for word in known], dtype=object)
