"""Two models on the same rows: each gets the features of its own manifest, both are scored on the same classes."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelyard_drift.captured import features_of
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_kit.scoring import Outcome, classification, regression


def predicted(champion: LoadedModel, challenger: LoadedModel, rows: pa.Table) -> tuple[Outcome, Outcome]:
    """The outcomes of both on rows with a column `label`, in the rows' order.

    A feature that was not captured, as only the challenger takes it, is missing to it: as it would be in service.
    """
    known = champion.manifest.classes
    classes = [*known, *(name for name in challenger.manifest.classes if name not in known)]
    truth = rows["label"].to_pylist()
    return _outcome(champion, rows, truth, classes), _outcome(challenger, rows, truth, classes)


def _outcome(model: LoadedModel, rows: pa.Table, truth: list[str], classes: list[str]) -> Outcome:
    features = model.manifest.features
    answer = model.predict(features_of(rows, features))
    if model.manifest.task == "regression":
        return regression([float(label) for label in truth], [float(value) for value in answer.values])
    probabilities = _spread(answer, model.manifest.classes, classes)
    return classification(truth, [str(value) for value in answer.values], classes, probabilities)


def _spread(answer: Prediction, own: list[str], classes: list[str]) -> npt.NDArray[np.float64] | None:
    """The probabilities with a column for each of `classes`: 0 for those the model does not know."""
    if answer.probabilities is None:
        return None
    columns = np.zeros((len(answer.values), len(classes)))
    columns[:, [classes.index(name) for name in own]] = answer.probabilities
    return columns
