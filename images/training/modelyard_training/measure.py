"""Measures a model on rows it was not trained on, through the same code that serves it."""

from typing import Any

import pyarrow as pa

from modelyard.contract.reasons import Reason
from modelyard_kit import scoring
from modelyard_kit.failure import UserFailure
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_training.target import target


def predict(model: LoadedModel, table: pa.Table) -> Prediction:
    """Predicts a table's rows. Raises UserFailure where the model cannot take its feature columns."""
    features = model.manifest.features
    try:
        prediction = model.predict(table)
    except Exception as error:
        names = ", ".join(column.name for column in features)
        raise UserFailure(
            Reason.USER_ERROR,
            f"the model cannot predict a DataFrame of the feature columns ({names}), numbers as float64 and text as "
            f"str: {type(error).__name__}: {error}",
        ) from error
    if len(prediction.values) != table.num_rows:
        raise UserFailure(
            Reason.USER_ERROR, f"the model answers {len(prediction.values)} values for {table.num_rows} rows"
        )
    strange = set(prediction.values) - set(model.manifest.classes)
    if model.manifest.task == "classification" and strange:
        raise UserFailure(
            Reason.USER_ERROR,
            f"the model predicts {sorted(map(str, strange))[0]!r}, which is not one of its classes "
            f"{model.manifest.classes}: fit it on the labels as strings, or give it predict_proba and classes_",
        )
    return prediction


def measure(model: LoadedModel, table: pa.Table) -> dict[str, float]:
    """Every metric of the task that is defined on these rows."""
    manifest = model.manifest
    prediction = predict(model, table)
    truth: Any = target(table, manifest.label, manifest.task).tolist()
    if manifest.task == "classification":
        values = [str(value) for value in prediction.values]
        outcome = scoring.classification(truth, values, manifest.classes, prediction.probabilities)
    else:
        outcome = scoring.regression(truth, [float(value) for value in prediction.values])
    found = scoring.scores(outcome)
    if not found:
        raise UserFailure(Reason.USER_ERROR, "no metric is finite: the model predicts NaN or infinity")
    return found
