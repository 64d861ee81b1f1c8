"""A published model as serving, training and the gate see it: a manifest and a way to predict rows.

Each format has a file of its own, which is imported when a model of it is loaded.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from modelyard.contract.manifest import BlobFile, ModelFormat, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.store import model_manifest
from modelyard_kit.content import refuse_pickle
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.safety import Safety
from modelyard_kit.store import Store
from modelyard_kit.tabular import columns_table
from modelyard_kit.trial import try_open

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Each has FILE, the name of its file, SAFETY, and `load(path, manifest)`.
FORMATS: Mapping[ModelFormat, str] = {
    "skops": "modelyard_kit.skops_format",
    "onnx": "modelyard_kit.onnx_format",
    "xgboost": "modelyard_kit.xgboost_format",
    "lightgbm": "modelyard_kit.lightgbm_format",
    "torch-export": "modelyard_kit.torch_export_format",
    "torchscript": "modelyard_kit.torchscript_format",
    "safetensors": "modelyard_kit.safetensors_format",
    "pickle": "modelyard_kit.pickle_format",
}

UNLESS_ALLOWED = (
    "it could run any code when it is loaded; save the model as skops, or set spec.allowUnsafeFormats of the resource "
    "and workloads.allowUnsafeFormats of the chart"
)
TORCH_IMAGES = "modelyard/training-torch, serving-torch and drift-torch"


class Prediction(NamedTuple):
    """`values`: classes as strings, or floats of a regression. `scores`: the probability of each, or None."""

    values: list[str] | list[float]
    scores: list[float] | None = None
    probabilities: "np.ndarray[Any, np.dtype[np.float64]] | None" = None  # rows x classes, in the manifest's order


@dataclass(frozen=True)
class LoadedModel(ABC):
    manifest: ModelManifest

    @property
    def answers(self) -> bool:
        """Whether it can be asked now: one that is not in this process may be away."""
        return True

    @abstractmethod
    def predict(self, table: "pa.Table") -> Prediction:
        """Predicts the rows of a table that has the manifest's features with the contract's types."""

    def predict_columns(self, columns: Sequence[Sequence[Any]]) -> Prediction:
        """Predicts rows of plain values, one sequence per feature in the manifest's order and of its type."""
        return self.predict(columns_table(columns, self.manifest.features))

    def chosen(self, probabilities: "np.ndarray[Any, np.dtype[np.float64]]") -> Prediction:
        """The likeliest class of each row; `probabilities` are rows x classes."""
        best = probabilities.argmax(axis=1)
        classes = self.manifest.classes
        return Prediction([classes[i] for i in best.tolist()], probabilities.max(axis=1).tolist(), probabilities)


def publish_file(store: Store, path: Path) -> BlobFile:
    """Stores a model's file and describes it for the manifest."""
    return BlobFile(digest=store.put_blob(path), bytes=path.stat().st_size, path=path.name)


def load_manifest(store: Store, namespace: str, training_job: str, digest: str) -> ModelManifest:
    return store.get_document(model_manifest(namespace, training_job, digest), ModelManifest, digest)


def load_model(
    store: Store, namespace: str, training_job: str, digest: str, folder: Path, allow_unsafe: bool = False
) -> LoadedModel:
    """Downloads and loads the file that serves of a published model. Raises as `fetch_model` and `open_tried` do."""
    manifest, path = fetch_model(store, namespace, training_job, digest, folder)
    return open_tried(path, manifest, allow_unsafe)


def fetch_model(
    store: Store, namespace: str, training_job: str, digest: str, folder: Path
) -> tuple[ModelManifest, Path]:
    """Downloads the file that serves, verified. Raises UserFailure(UnsafeModel) for a format that is not known,
    WorldFailure(Corrupt) where the manifest has no such file."""
    manifest = load_manifest(store, namespace, training_job, digest)
    name = model_file(manifest.format)
    file = next((f for f in manifest.files if Path(f.path or name).name == name), None)
    if file is None:
        raise WorldFailure(Reason.CORRUPT, f"the model's manifest lists no {name}")
    store.get_blob(file.digest, folder / name, file.bytes)
    return manifest, folder / name


def model_file(model_format: ModelFormat) -> str:
    """The name of a format's file. Raises UserFailure(UnsafeModel) for a format that is not known."""
    if model_format not in FORMATS:
        known = ", ".join(FORMATS)
        raise UserFailure(Reason.UNSAFE_MODEL, f"model format {model_format} cannot be loaded: publish {known}")
    name: str = loader(model_format).FILE
    return name


def open_model(path: Path, manifest: ModelManifest, allow_unsafe: bool = False) -> LoadedModel:
    """Raises UserFailure(UnsafeModel) for what the format's rules refuse, WorldFailure(Corrupt) for no such file,
    UserFailure(UserError) for a format that this image has no library for. `allow_unsafe`: pickles are loaded, too."""
    reader = loader(manifest.format)
    if reader.SAFETY is not Safety.CODE:
        refuse_pickle(path, in_archives=not reader.SAFETY.describes_by_pickle)
    elif not allow_unsafe:
        raise UserFailure(Reason.UNSAFE_MODEL, f"{path.name} is a pickle: {UNLESS_ALLOWED}")
    model: LoadedModel = reader.load(path, manifest)
    return model


def open_tried(path: Path, manifest: ModelManifest, allow_unsafe: bool = False) -> LoadedModel:
    """As `open_model`, and in a process of its own first where native code reads the file: what crashes there would
    end the pod without a word."""
    if loader(manifest.format).SAFETY.may_crash:
        try_open(path, manifest)
    return open_model(path, manifest, allow_unsafe)


def loader(model_format: ModelFormat) -> Any:
    """The module of a format. Raises UserFailure(UserError) where this image has no library for it."""
    try:
        return import_module(FORMATS[model_format])
    except ModuleNotFoundError as error:
        text = f"this image has no {error.name}, which models of the format {model_format} need: use one that holds it"
        raise UserFailure(Reason.USER_ERROR, f"{text}, as {TORCH_IMAGES} do") from error
