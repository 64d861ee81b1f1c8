"""The model a script left behind: one skops file, of types that serving loads."""

import zipfile
from pathlib import Path
from typing import Any

import skops.io

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure
from modelyard_kit.skops_format import FILE as MODEL_FILE
from modelyard_kit.skops_format import open_model

PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle"})
FIX = f"write it with skops.io.dump(model, os.path.join(os.environ['SM_MODEL_DIR'], '{MODEL_FILE}'))"


def load_artifact(folder: Path) -> tuple[Path, list[str], Any]:
    """Path, types and estimator of MODEL_FILE, or of the only *.skops file, in SM_MODEL_DIR."""
    path = _find(folder)
    try:
        types = sorted(skops.io.get_untrusted_types(file=path))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UserFailure(Reason.USER_ERROR, f"{path.name} is not a skops file ({error}): {FIX}") from error
    estimator = open_model(path, types)
    if not hasattr(estimator, "predict"):
        raise UserFailure(
            Reason.USER_ERROR,
            f"{path.name} holds a {type(estimator).__name__}, which cannot predict: save the fitted estimator",
        )
    return path, types, estimator


def _find(folder: Path) -> Path:
    if (folder / MODEL_FILE).is_file():
        return folder / MODEL_FILE
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = [path for path in files if path.suffix == ".skops"]
    if len(found) == 1:
        return found[0].rename(folder / MODEL_FILE)
    if found:
        names = ", ".join(path.name for path in found)
        raise UserFailure(Reason.USER_ERROR, f"the script left several models ({names}): name one {MODEL_FILE}")
    pickled = [path.name for path in files if path.suffix in PICKLES]
    if pickled:
        raise UserFailure(
            Reason.UNSAFE_MODEL, f"the script left {pickled[0]}: a pickle runs any code when it is loaded; {FIX}"
        )
    there = f"there is only {', '.join(path.name for path in files[:5])}" if files else "it is empty"
    raise UserFailure(Reason.USER_ERROR, f"the script left no model in SM_MODEL_DIR ({there}): {FIX}")
