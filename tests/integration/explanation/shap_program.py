"""What the package shap says of models: `python shap_program.py <folder>...`; each has a model and its rows.

Prints for each [rows, outputs, columns] of attributions and [outputs] of base values, in the raw output of the trees.
"""

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import shap
import xgboost


def model(folder: Path) -> Any:
    if (folder / "model.ubj").exists():
        return xgboost.Booster(model_file=str(folder / "model.ubj"))
    return joblib.load(folder / "model.joblib")


def explained(folder: Path) -> dict[str, Any]:
    background, rows = np.load(folder / "background.npy"), np.load(folder / "rows.npy")
    explainer = shap.TreeExplainer(
        model(folder), data=background, feature_perturbation="interventional", model_output="raw"
    )
    found = np.asarray(explainer.shap_values(rows))
    if found.ndim == 2:
        found = found[:, :, None]
    base = np.atleast_1d(explainer.expected_value)
    return {"attributions": found.transpose(0, 2, 1).tolist(), "base": base.tolist()}


print(json.dumps([explained(Path(folder)) for folder in sys.argv[1:]]))
