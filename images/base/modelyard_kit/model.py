"""Models as skops archives: written by training, loaded by serving and the gate, never a pickle.

A model's types must all be in ALLOWED, in code, whatever its manifest claims.
Needs the sklearn extra; it is imported when a model is saved or loaded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.contract.manifest import BlobFile, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.store import model_manifest
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.store import Store

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MODEL_FILE = "model.skops"

# What the estimators of scikit-learn need beyond skops' own list. None runs code on load; a partial's function is
# checked like every other type. Trees index arrays without bounds, so models come from our own store only.
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
class Prediction:
    """`values`: classes as strings, or floats of a regression. `scores`: the probability of each, or None."""

    values: list[str] | list[float]
    scores: list[float] | None = None
    probabilities: "np.ndarray[Any, np.dtype[np.float64]] | None" = None  # rows x classes, in the manifest's order


@dataclass(frozen=True)
class LoadedModel:
    manifest: ModelManifest
    estimator: Any

    def predict(self, frame: "pd.DataFrame") -> Prediction:
        """Predicts the rows of a frame with the manifest's features, as `tabular.table_frame` makes it."""
        import numpy as np

        frame = frame[[column.name for column in self.manifest.features]]
        if self.manifest.task == "regression":
            return Prediction([float(value) for value in self.estimator.predict(frame)])
        if not hasattr(self.estimator, "predict_proba"):
            return Prediction([str(value) for value in self.estimator.predict(frame)])
        probabilities = np.asarray(self.estimator.predict_proba(frame), dtype=np.float64)
        best = probabilities.argmax(axis=1)
        classes = self.manifest.classes
        return Prediction([classes[i] for i in best], probabilities.max(axis=1).tolist(), probabilities)


def save_model(estimator: Any, folder: Path) -> tuple[Path, list[str]]:
    """Writes `estimator` to MODEL_FILE in `folder`; also returns its types, for the manifest.

    Raises UserFailure(UnsafeModel) where it holds a type that nobody would load.
    """
    import skops.io

    path = folder / MODEL_FILE
    skops.io.dump(estimator, path)
    types = sorted(skops.io.get_untrusted_types(file=path))
    _check(types)
    return path, types


def publish_file(store: Store, path: Path) -> BlobFile:
    """Stores a model's file and describes it for the manifest."""
    return BlobFile(digest=store.put_blob(path), bytes=path.stat().st_size, path=path.name)


def load_manifest(store: Store, namespace: str, training_job: str, digest: str) -> ModelManifest:
    return store.get_document(model_manifest(namespace, training_job, digest), ModelManifest, digest)


def load_model(store: Store, namespace: str, training_job: str, digest: str, folder: Path) -> LoadedModel:
    """Downloads and loads a published model. Raises UserFailure(UnsafeModel) for types outside ALLOWED."""
    manifest = load_manifest(store, namespace, training_job, digest)
    if manifest.format != "skops":
        raise UserFailure(Reason.UNSAFE_MODEL, f"model format {manifest.format} cannot be loaded: publish skops")
    for file in manifest.files:
        store.get_blob(file.digest, folder / Path(file.path or MODEL_FILE).name)
    return LoadedModel(manifest, open_model(folder / MODEL_FILE, manifest.trusted_types))


def open_model(path: Path, declared: list[str]) -> Any:
    """Loads a skops file whose types are all declared and allowed."""
    import skops.io

    if not path.is_file():
        raise WorldFailure(Reason.CORRUPT, f"the model's manifest lists no {MODEL_FILE}")
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
