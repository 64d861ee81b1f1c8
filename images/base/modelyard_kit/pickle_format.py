"""Pickles, as joblib and pickle write them: only where the resource and the chart both allow it.

Safety: none. To load one is to run its author's code in this process, with what this process may do.
"""

from pathlib import Path
from typing import Any

import joblib

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure
from modelyard_kit.safety import Safety
from modelyard_kit.skops_format import SklearnModel

FILE = "model.joblib"
SAFETY = Safety.CODE


def load(path: Path, manifest: ModelManifest) -> SklearnModel:
    """Raises as `estimator`."""
    return SklearnModel(manifest, estimator(path))


def estimator(path: Path) -> Any:
    """What has a method `predict`. Raises UserFailure(UserError) for anything else, and where it cannot be loaded."""
    try:
        found = joblib.load(path)
    except ModuleNotFoundError as error:
        text = f"{path.name} needs the module {error.name}, which this image has not"
        raise UserFailure(Reason.USER_ERROR, f"{text}: serve it from a container of yours (spec.container)") from error
    except Exception as error:  # its own code may raise anything
        raise UserFailure(
            Reason.USER_ERROR, f"{path.name} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not hasattr(found, "predict"):
        kind = type(found).__name__
        raise UserFailure(Reason.USER_ERROR, f"{path.name} holds a {kind}, which cannot predict: save the estimator")
    return found
