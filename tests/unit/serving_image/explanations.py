"""What tests of explanations share: manifests of columns, and Shapley's own formula."""

from collections.abc import Callable
from itertools import product
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from modelyard.contract.manifest import Column, ModelManifest
from modelyard_kit.model import LoadedModel
from modelyard_serving.explanation.explainer import outputs_of

Floats = npt.NDArray[np.float64]
Value = Callable[[tuple[bool, ...]], Floats]


def floats(count: int) -> list[Column]:
    return [Column(name=f"c{number}", type="float64") for number in range(count)]


def manifest_of(features: list[Column], classes: list[str], **more: Any) -> ModelManifest:
    """Of a regression where there are no classes."""
    given: dict[str, Any] = {
        "format": "onnx",
        "task": "classification" if classes else "regression",
        "files": [],
        "features": features,
        "label": Column(name="label", type="string" if classes else "float64", role="label"),
        "classes": classes,
        "metrics": {},
        "profile_digest": "sha256:0",
        "dataset_name": "demo-data",
        "dataset_digest": "sha256:1",
        "created_at": "2024-05-01T00:00:00Z",
    }
    return ModelManifest(**{**given, **more})


def outputs(model: LoadedModel, columns: Any) -> Floats:
    """The model's answers [rows, outputs]."""
    return outputs_of(model.predict_columns(columns), model)[0]


def shapley(value: Value, players: int) -> Floats:
    """[outputs, players] by definition: what joining each set of others changes; sizes weigh the same."""
    worth = {members: np.asarray(value(members)) for members in product((False, True), repeat=players)}
    found = []
    for player in range(players):
        total = np.zeros_like(next(iter(worth.values())))
        for members in worth:
            if not members[player]:
                size = sum(members)
                joined = tuple(each or number == player for number, each in enumerate(members))
                weight = factorial(size) * factorial(players - size - 1) / factorial(players)
                total += weight * (worth[joined] - worth[members])
        found.append(total)
    return np.array(found).T


def mixed_value(model: Callable[[Any], Floats], row: list[Any], sample: list[list[Any]]) -> Value:
    """The mean answer to rows with the members' values of `row`, and the others' of each background row."""
    count = len(sample[0])

    def value(members: tuple[bool, ...]) -> Floats:
        mixed = [
            [own] * count if member else list(other) for own, member, other in zip(row, members, sample, strict=True)
        ]
        found: Floats = model(mixed).mean(axis=0)
        return found

    return value
