"""Models of XGBoost as it saves them itself, in UBJSON or JSON, whose form is checked first. Safety: see boosted.py.

Where training stopped early, the trees up to the best iteration answer, as in XGBoost's scikit-learn interface.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.boosted import BoostedModel, Matrix
from modelyard_kit.failure import WorldFailure
from modelyard_kit.safety import Safety
from modelyard_kit.ubjson import check_ubjson

FILE = "model.ubj"
SAFETY = Safety.NATIVE


@dataclass(frozen=True)
class XGBoostModel(BoostedModel):
    library = "XGBoost"
    objectives = ("binary:logistic", "multi:softprob")

    def outputs(self, matrix: Matrix) -> Matrix:
        found: Matrix = self.booster.inplace_predict(matrix, validate_features=False)
        return found


def load(path: Path, manifest: ModelManifest) -> XGBoostModel:
    """Raises WorldFailure(Corrupt) where it is no file of XGBoost's, UserFailure where it is for other columns."""
    booster = read(path)
    try:
        learner = json.loads(booster.save_config())["learner"]
        best = int(booster.attr("best_iteration") or booster.num_boosted_rounds() - 1)
        if best + 1 < booster.num_boosted_rounds():
            booster = booster[: best + 1]
        booster.set_param({"nthread": 1})
        model = XGBoostModel(manifest, booster)
        if learner["gradient_booster"]["name"] == "gblinear":
            raise model.unfit("is a linear one: use scikit-learn for that, saved as model.skops")
        categories = "c" in (booster.feature_types or [])
        model.check(booster.num_features(), booster.feature_names or [], learner["objective"]["name"], categories)
    except ValueError as error:
        raise _corrupt(path, error) from error
    return model


def read(path: Path) -> Any:
    """Its booster. Raises WorldFailure(Corrupt); native code may crash on what its form does not show."""
    data = path.read_bytes()
    booster = xgboost.Booster()
    try:
        if data.startswith(b'{"'):
            json.loads(data)
        else:
            check_ubjson(data)
        booster.load_model(bytearray(data))
    except (ValueError, RecursionError) as error:  # the first is the base of XGBoost's own
        raise _corrupt(path, error) from error
    return booster


def _corrupt(path: Path, why: object) -> WorldFailure:
    first = str(why).partition("\n")[0]  # XGBoost adds its stack
    return WorldFailure(Reason.CORRUPT, f"{path.name} cannot be read by XGBoost: {first}")
