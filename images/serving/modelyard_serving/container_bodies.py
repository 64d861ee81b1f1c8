"""What is sent to a user's container, and what its answers mean: the forms that SageMaker's containers use."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import orjson

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.tasks import ContainerTask
from modelyard_kit.model import Prediction
from modelyard_serving.call import JSON
from modelyard_serving.invocations import CSV

OFF_BY = 1e-3  # of the sum of a row's probabilities from 1: containers may round


def request_body(task: ContainerTask, manifest: ModelManifest, columns: Sequence[Sequence[Any]]) -> tuple[str, bytes]:
    """Content type and body of one batch; `columns` are in the order of the manifest's features."""
    rows = zip(*columns, strict=True)
    if task.body == "CSV":
        return CSV, _csv(rows)
    if task.body == "Instances" or task.python_class:
        names = [feature.name for feature in manifest.features]
        return JSON, orjson.dumps({"instances": [dict(zip(names, row, strict=True)) for row in rows]})
    return JSON, orjson.dumps(list(rows))


def _csv(rows: Any) -> bytes:
    """Missing values are empty, times ISO 8601, truth values 1 and 0: readers of SageMaker's CSV know numbers only."""
    lines = (",".join(map(_cell, row)) or '""' for row in rows)  # an empty line would be no row
    return "".join(line + "\n" for line in lines).encode()


def _cell(value: Any) -> str:
    """The csv module leaves a carriage return bare, which readers take for the end of a row."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    text = value.isoformat() if isinstance(value, date) else str(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(mark in text for mark in ',"\r\n') else text


def prediction(answer: Any, manifest: ModelManifest, count: int) -> Prediction:
    """Of a parsed answer to `count` rows: a list with one item per row, bare or as `predictions`. An item is a value, a
    list of one, or a classifier's probabilities in the order of the manifest's classes. Raises ValueError."""
    items = answer.get("predictions") if isinstance(answer, dict) else answer
    if not isinstance(items, list):
        raise ValueError('the container\'s answer is no list of predictions: answer [..] or {"predictions": [..]}')
    if len(items) != count:
        raise ValueError(f"the container answers {len(items)} rows for {count}: answer one for each, in their order")
    if all(isinstance(item, list) and len(item) == 1 for item in items):
        items = [item[0] for item in items]
    if manifest.task == "regression":
        return Prediction([_number(item) for item in items])
    if all(isinstance(item, list) for item in items):
        return _likeliest(items, manifest.classes)
    return Prediction([_class(item, manifest.classes) for item in items])


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"the container answers {_shown(value)} for a number: answer a finite one for each row")
    return float(value)


def _class(value: Any, classes: Sequence[str]) -> str:
    """As text: training's classes are, whatever the label's type was."""
    for name in _names(value):
        if name in classes:
            return name
    known = ", ".join(classes[:10])
    raise ValueError(f"the container answers {_shown(value)}, which is no class of the model: answer one of {known}")


def _names(value: Any) -> list[str]:
    if isinstance(value, bool):
        return [str(value), str(value).lower()]
    if isinstance(value, float) and value.is_integer():
        return [str(value), str(int(value))]
    return [str(value)] if isinstance(value, str | int | float) else []


def _likeliest(items: list[list[Any]], classes: Sequence[str]) -> Prediction:
    wrong = next((item for item in items if len(item) != len(classes)), None)
    if wrong is not None:
        raise ValueError(
            f"the container answers {len(wrong)} probabilities for a row, and the model has {len(classes)} classes"
        )
    matrix = np.array([[_number(value) for value in item] for item in items], dtype=np.float64)
    if matrix.min() < 0 or np.abs(matrix.sum(axis=1) - 1).max() > OFF_BY:
        raise ValueError("the container answers probabilities that do not add up to 1 in each row")
    best = matrix.argmax(axis=1)
    return Prediction([classes[i] for i in best.tolist()], matrix.max(axis=1).tolist(), matrix)


def _shown(value: Any) -> str:
    return repr(value)[:60]
