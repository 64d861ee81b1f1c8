"""What is to be predicted: the label column as classes in the form of strings, or as floats."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelyard.contract.manifest import Column
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure
from modelyard_kit.histogram import NUMERIC, numbers
from modelyard_kit.tabular import class_labels

Kind = Literal["classification", "regression"]
MAX_CLASSES = 200  # trees are grown per class; more is a number, or an id


def target(table: pa.Table, label: Column, kind: Kind) -> npt.NDArray[Any]:
    """Strings (object) or float64, one per row. Raises UserFailure for a regression on text."""
    if kind == "classification":
        return np.asarray(class_labels(table[label.name], label.type), dtype=object)
    if label.type not in NUMERIC | {"bool"}:
        raise UserFailure(
            Reason.BAD_DATA,
            f"label column {label.name} is {label.type}, a regression needs numbers: use task: classification",
        )
    return numbers(table[label.name])


def classes_of(table: pa.Table, label: Column) -> list[str]:
    """The distinct labels in ascending order: numbers as numbers, text by its characters, false before true."""
    values = table[label.name]
    ordered = pa.array(sorted(values.unique().to_pylist()), values.type)
    return [str(name) for name in class_labels(pa.chunked_array([ordered]), label.type)]


def check_classes(classes: list[str], label: Column) -> None:
    """Raises UserFailure where a classifier has nothing to tell apart, or far too much."""
    if len(classes) < 2:
        raise UserFailure(
            Reason.BAD_DATA,
            f"label column {label.name} is always {classes[0]!r} in the rows to train on: "
            "a classification needs at least two classes",
        )
    if len(classes) > MAX_CLASSES:
        raise UserFailure(
            Reason.BAD_DATA,
            f"label column {label.name} has {len(classes)} different values, at most {MAX_CLASSES} can be classes: "
            "use task: regression, or another label",
        )
