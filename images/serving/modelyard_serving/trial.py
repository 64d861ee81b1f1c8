"""A server's trial of its model: loaded in a process of its own and asked its example rows, whose answers are compared
with those of training."""

import json
import sys
from math import inf, isfinite, isnan
from pathlib import Path
from typing import Any

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.progress import Parity
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.model import open_model
from modelyard_kit.trial import SECONDS, child, tried
from modelyard_serving.bodies import example_rows
from modelyard_serving.rows import rows_of_objects

TOLERANCE = 1e-4  # of a value, relative to itself


def try_out(path: Path, manifest: ModelManifest, seconds: int = SECONDS, allow_unsafe: bool = False) -> Parity:
    """How far the answers are from those of training.

    Raises TaskFailure where the model cannot be loaded, fails, or answers otherwise than when it was trained.
    """
    told = json.dumps({"manifest": manifest.wire(), "allow_unsafe": allow_unsafe})
    return _compare(path, manifest, tried(__name__, path, told, seconds))


def _compare(path: Path, manifest: ModelManifest, found: list[Any]) -> Parity:
    """What the model answered to its example rows when it was published; an earlier manifest does not tell."""
    pairs = list(zip(manifest.answers, found, strict=False))
    differences = [_difference(expected, answer) for expected, answer in pairs]
    wrong = [row for row, difference in enumerate(differences) if not difference <= TOLERANCE]  # NaN is, too
    if wrong:
        expected, answer = pairs[wrong[0]]
        said = f"{path.name} answers {answer} to example row {wrong[0]}, and answered {expected} when it was trained"
        largest = max(differences, key=lambda each: inf if isnan(each) else each)
        by = "" if isinstance(expected, str) or not isfinite(largest) else f", by at most {largest:.2g}"
        raise WorldFailure(
            Reason.SERVING_PARITY,
            f"{said} ({len(wrong)} of {len(pairs)} rows differ{by}): its image and the serving image differ, "
            "upgrade both",
        )
    numbers = manifest.task == "regression" and pairs
    return Parity(rows=len(pairs), max_difference=max(differences) if numbers else None)


def _difference(expected: str | float, answer: str | float) -> float:
    """Of numbers, relative to the expected one where that is above 1; infinite between classes."""
    if isinstance(expected, str) or isinstance(answer, str):
        return 0.0 if expected == answer else inf
    return abs(expected - answer) / max(1.0, abs(expected))


def main() -> int:
    """The process: on stdout is what the model answers, or the failure."""
    return child(_answers)


def _answers(path: Path, told: str) -> list[Any]:
    given = json.loads(told)
    manifest = ModelManifest.model_validate(given["manifest"])
    model = open_model(path, manifest, given["allow_unsafe"])
    examples = example_rows(manifest)
    if not examples:
        return []
    rows = rows_of_objects(manifest.features, examples)
    try:
        return list(model.predict_columns(rows.columns).values)
    except Exception as error:
        said = f"the model fails on the example rows of its own manifest: {error}; train it again"
        raise UserFailure(Reason.USER_ERROR, said) from error


if __name__ == "__main__":
    sys.exit(main())
