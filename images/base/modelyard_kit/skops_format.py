"""Models of scikit-learn as skops archives: loaded by a list of types, never as a pickle.

A model's types must all be in ALLOWED, in code, whatever its manifest claims.
Safety: nothing in ALLOWED runs code on load; trees index arrays without bounds, so only from our own store.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import skops.io

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.content import check_archive
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_kit.safety import Safety
from modelyard_kit.tabular import table_frame

FILE = "model.skops"
UNREADABLE = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError)  # what skops raises then
SAFETY = Safety.TYPES

# What the estimators of scikit-learn need beyond skops' own list. None runs code on load; a partial's function is
# checked like every other type.
ALLOWED = frozenset(
    {
        "functools.partial",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils.validation.check_array",
    }
)


@dataclass(frozen=True)
class SklearnModel(LoadedModel):
    estimator: Any

    def predict(self, table: pa.Table) -> Prediction:
        frame = table_frame(table, self.manifest.features)
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                return self._predicted(frame)
            except ValueError:
                smaller = in_range(frame)
                if smaller.equals(frame):
                    raise
                return self._predicted(smaller)

    def _predicted(self, frame: pd.DataFrame) -> Prediction:
        if self.manifest.task == "regression":
            return Prediction([float(value) for value in self.estimator.predict(frame)])
        if not hasattr(self.estimator, "predict_proba"):
            return Prediction([str(value) for value in self.estimator.predict(frame)])
        return self.chosen(np.asarray(self.estimator.predict_proba(frame), dtype=np.float64))


def in_range(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers beyond float32, which trees refuse, become the largest it has: they are on the same side of any split."""
    largest = float(np.finfo(np.float32).max)
    smaller, floats = frame.copy(), frame.select_dtypes("float").columns
    smaller[floats] = frame[floats].clip(-largest, largest)
    return smaller


def load(path: Path, manifest: ModelManifest) -> SklearnModel:
    """Raises TaskFailure: UnsafeModel, or Corrupt where it is no skops file."""
    check_archive(path)
    try:
        return SklearnModel(manifest, open_model(path, manifest.trusted_types))
    except UNREADABLE as error:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} cannot be read as skops: {error}") from error


def save_model(estimator: Any, folder: Path) -> tuple[Path, list[str]]:
    """Writes `estimator` to FILE in `folder`; also returns its types, for the manifest.

    Raises UserFailure(UnsafeModel) where it holds a type that nobody would load.
    """
    path = folder / FILE
    skops.io.dump(estimator, path)
    types = sorted(skops.io.get_untrusted_types(file=path))
    _check(types)
    return path, types


def open_model(path: Path, declared: list[str]) -> Any:
    """Loads a skops file whose types are all declared and allowed."""
    found = sorted(skops.io.get_untrusted_types(file=path))
    undeclared = sorted(set(found) - set(declared))
    if undeclared:
        raise UserFailure(Reason.UNSAFE_MODEL, f"the model holds types its manifest does not name: {undeclared}")
    _check(found)
    return skops.io.load(path, trusted=found)


def _check(types: list[str]) -> None:
    refused = sorted(set(types) - ALLOWED)
    if refused:
        raise UserFailure(
            Reason.UNSAFE_MODEL,
            f"the model holds types that serving does not load: {', '.join(refused)}; "
            "use estimators of scikit-learn itself",
        )
