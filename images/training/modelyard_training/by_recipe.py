"""Trains by the recipe tabular and proves that the saved model answers as the fitted one did."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from modelyard.contract.reasons import Reason
from modelyard.contract.tasks import TrainTask
from modelyard_kit.failure import WorldFailure
from modelyard_kit.skops_format import SklearnModel, open_model, save_model
from modelyard_kit.tabular import table_frame
from modelyard_training.parameters import parse_parameters
from modelyard_training.recipe import fit_tabular, for_stopping
from modelyard_training.splits import Splits
from modelyard_training.target import check_classes, target
from modelyard_training.trained import Trained

PARITY_ROWS = 1000


def train_by_recipe(task: TrainTask, splits: Splits, folder: Path) -> Trained:
    """Raises UserFailure for wrong parameters and labels, WorldFailure where saving changed the model."""
    kind, label = task.kind_of_task, splits.label
    parameters = parse_parameters(task.parameters)
    wanted = target(splits.train, label, kind)
    classes = sorted({str(name) for name in wanted}) if kind == "classification" else []
    if kind == "classification":
        check_classes(classes, label)
    frame = table_frame(splits.train, splits.features)
    late = table_frame(splits.validation, splits.features)
    validation = for_stopping(late, target(splits.validation, label, kind), wanted, kind)
    estimator = fit_tabular(frame, wanted, kind, parameters, task.seed, validation)
    path, types = save_model(estimator, folder)
    saved = open_model(path, types)
    _check_parity(estimator, saved, frame.head(PARITY_ROWS))
    used = parameters.model_dump(mode="json", exclude_none=True) | {"recipe": "tabular", "seed": task.seed}
    opened = partial(SklearnModel, estimator=saved)
    return Trained(path, "skops", opened, types, classes, {name: str(value) for name, value in used.items()})


def _check_parity(fitted: Any, saved: Any, frame: pd.DataFrame) -> None:
    """The file must give exactly the predictions that were measured, missing values included."""
    ask = "predict_proba" if hasattr(fitted, "predict_proba") else "predict"
    if not np.array_equal(getattr(fitted, ask)(frame), getattr(saved, ask)(frame), equal_nan=True):
        raise WorldFailure(Reason.CORRUPT, "the saved model answers otherwise than the fitted one: it is not published")
