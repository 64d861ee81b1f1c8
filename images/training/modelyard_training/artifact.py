"""The model a script left behind: one file of a format that serving loads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import skops.io

from modelyard.contract.manifest import TORCH_FORMATS, ModelFormat, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit import pickle_format
from modelyard_kit.architecture import FILE as ARCHITECTURE
from modelyard_kit.content import check_archive, refuse_pickle
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.model import LoadedModel, open_tried
from modelyard_kit.skops_format import FILE as MODEL_FILE
from modelyard_kit.skops_format import UNREADABLE, SklearnModel, open_model

NATIVE: dict[str, ModelFormat] = {
    "model.ubj": "xgboost",
    "model.json": "xgboost",
    "model.txt": "lightgbm",
    "model.pt2": "torch-export",
    "model.pt": "torchscript",
    "model.safetensors": "safetensors",
}
WRITERS: dict[ModelFormat, str] = {
    "xgboost": "save_model",
    "lightgbm": "save_model",
    "torch-export": "torch.export.save",
    "torchscript": "torch.jit.save",
    "safetensors": "safetensors' save_file",
}
PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".pth"})
FIX = f"write it with skops.io.dump(model, os.path.join(os.environ['SM_MODEL_DIR'], '{MODEL_FILE}'))"
OWN = (
    "a model of XGBoost or LightGBM with its save_model, as model.ubj or model.txt, or one of PyTorch with "
    "torch.export.save, as model.pt2"
)
T = TypeVar("T")


@dataclass(frozen=True)
class Artifact:
    """`opened` makes the model of a manifest; `estimator` is what a skops file holds."""

    path: Path
    format: ModelFormat
    opened: Callable[[ModelManifest], LoadedModel]
    types: list[str]
    estimator: Any = None


def load_artifact(folder: Path, allow_unsafe: bool = False) -> Artifact:
    """MODEL_FILE or the only *.skops file in SM_MODEL_DIR, or the one that is named in NATIVE; where it is allowed, the
    only pickle.

    Raises UserFailure where there is none, or one that serving would not load.
    """
    path = _find(folder, allow_unsafe)
    if path.is_symlink():
        raise UserFailure(Reason.UNSAFE_MODEL, f"{path.name} is a symbolic link: write the model's own file")
    if path.name in NATIVE:
        return _native(path)
    if path.suffix in PICKLES:
        return _pickled(path)
    refuse_pickle(path)
    try:
        check_archive(path)
        types = sorted(skops.io.get_untrusted_types(file=path))
        estimator = open_model(path, types)
    except WorldFailure as failure:
        raise UserFailure(Reason.USER_ERROR, f"{failure.message}: {FIX}") from failure
    except UNREADABLE as error:
        raise UserFailure(Reason.USER_ERROR, f"{path.name} is not a skops file ({error}): {FIX}") from error
    if not hasattr(estimator, "predict"):
        raise UserFailure(
            Reason.USER_ERROR,
            f"{path.name} holds a {type(estimator).__name__}, which cannot predict: save the fitted estimator",
        )
    return Artifact(path, "skops", partial(SklearnModel, estimator=estimator), types, estimator)


def _pickled(path: Path) -> Artifact:
    """Its code runs here: whoever allowed it said so."""
    found = pickle_format.estimator(path)
    path = path.rename(path.with_name(pickle_format.FILE))
    return Artifact(path, "pickle", partial(SklearnModel, estimator=found), [], found)


def _native(path: Path) -> Artifact:
    kind = NATIVE[path.name]
    refuse_pickle(path, in_archives=kind not in TORCH_FORMATS)
    if path.suffix == ".json":
        from modelyard_kit.xgboost_json import in_binary

        path = _blamed(kind, in_binary, path)
    described = path.with_name(ARCHITECTURE)
    if kind == "safetensors" and described.is_file():
        from modelyard_kit.safetensors_format import describe

        _blamed(kind, describe, path, described.read_bytes())
    return Artifact(path, kind, partial(_blamed, kind, open_tried, path), [])


def _blamed(kind: ModelFormat, read: Callable[..., T], path: Path, *more: Any) -> T:
    """What cannot be read was written so by the script."""
    try:
        return read(path, *more)
    except WorldFailure as failure:
        raise UserFailure(Reason.USER_ERROR, f"{failure.message}: write it with {WRITERS[kind]}") from failure


def _find(folder: Path, allow_unsafe: bool) -> Path:
    if (folder / MODEL_FILE).is_file():
        return folder / MODEL_FILE
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    safe = [path for path in files if path.suffix == ".skops" or path in {folder / name for name in NATIVE}]
    pickled = [path for path in files if path.suffix in PICKLES]
    found = safe or (pickled if allow_unsafe else [])
    if len(found) == 1:
        return found[0].rename(folder / MODEL_FILE) if found[0].suffix == ".skops" else found[0]
    if found:
        names = ", ".join(path.name for path in found)
        raise UserFailure(Reason.USER_ERROR, f"the script left several models ({names}): leave one, as {MODEL_FILE}")
    if pickled:
        raise UserFailure(
            Reason.UNSAFE_MODEL,
            f"the script left {pickled[0].name}: a pickle runs any code when it is loaded; {FIX}, {OWN}",
        )
    there = f"there is only {', '.join(path.name for path in files[:5])}" if files else "it is empty"
    raise UserFailure(Reason.USER_ERROR, f"the script left no model in SM_MODEL_DIR ({there}): {FIX}, {OWN}")
