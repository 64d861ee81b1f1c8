"""Trains by the user's script under SageMaker's /opt/ml and SM_* contract.

The script leaves in SM_MODEL_DIR a skops file whose `predict` takes a DataFrame of MODELYARD_FEATURES, or a file of
XGBoost's or LightGBM's whose classes are the labels' indices in ascending order.
"""

import json
import os
from typing import Any

import numpy as np

from modelyard.contract.tasks import TrainTask
from modelyard_kit.progress import Reporter
from modelyard_training.artifact import load_artifact
from modelyard_training.environment import arguments, contract_variables, decoded, inherited
from modelyard_training.layout import FORMAT_PARAMETER, Layout, channel_format, prepare
from modelyard_training.script import run_script
from modelyard_training.splits import Splits
from modelyard_training.target import classes_of
from modelyard_training.trained import Trained


def train_by_script(task: TrainTask, entry_point: str, splits: Splits, layout: Layout, reporter: Reporter) -> Trained:
    """Raises UserFailure where the script fails or leaves no model that can be served."""
    given = {name: text for name, text in task.parameters.items() if name != FORMAT_PARAMETER}
    channels = prepare(layout, splits, given, channel_format(task.parameters))
    hyperparameters = decoded(given)
    environment = {
        **inherited(os.environ),
        **contract_variables(layout, task.name, entry_point, channels, hyperparameters),
        "MODELYARD_FEATURES": json.dumps([column.name for column in splits.features]),
        "MODELYARD_LABEL": splits.label.name,
        "MODELYARD_SEED": str(task.seed),
    }
    reporter.report("Training", 30, f"running {entry_point}")
    run_script(layout.code, entry_point, arguments(hyperparameters), environment, reporter, layout.failure)
    left = load_artifact(layout.model, allow_unsafe=bool(task.allow_unsafe))
    classes = _classes(left.estimator, splits) if task.kind_of_task == "classification" else []
    used = {**task.parameters, "script": entry_point, "seed": str(task.seed)}
    return Trained(left.path, left.format, left.opened, left.types, classes, used)


def _classes(estimator: Any, splits: Splits) -> list[str]:
    """In the model's own order; those of the training labels, ascending, where it does not say."""
    own = getattr(estimator, "classes_", None)
    if own is None:
        return classes_of(splits.train, splits.label)
    return [_spelled(value) for value in np.asarray(own).tolist()]


def _spelled(value: Any) -> str:
    """As `tabular.class_labels` spells labels."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
