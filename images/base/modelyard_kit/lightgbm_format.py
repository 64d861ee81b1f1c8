"""Models of LightGBM as its Python package saves them, in text. Safety: see boosted.py."""

import re
from dataclasses import dataclass
from pathlib import Path

import lightgbm

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.boosted import BoostedModel, Matrix
from modelyard_kit.failure import WorldFailure
from modelyard_kit.safety import Safety

FILE = "model.txt"
SAFETY = Safety.NATIVE


@dataclass(frozen=True)
class LightGBMModel(BoostedModel):
    library = "LightGBM"
    objectives = ("binary", "multiclass")

    def outputs(self, matrix: Matrix) -> Matrix:
        found: Matrix = self.booster.predict(matrix, num_threads=1)
        return found


def load(path: Path, manifest: ModelManifest) -> LightGBMModel:
    """Raises WorldFailure(Corrupt) where it is no file of LightGBM's, UserFailure where it is for other columns."""
    try:
        text = path.read_text("utf-8")
        if not text.startswith("tree\n") or not text.rpartition("\n\n")[2].startswith("pandas_categorical:"):
            raise ValueError("it is not whole, as LightGBM's Python package writes it")
        model = LightGBMModel(manifest, lightgbm.Booster(model_str=text))
        names = _names(model.booster.feature_name(), manifest)
        objective = re.search(r"^objective=(\w+)", text.partition("\nTree=")[0], re.MULTILINE)
        categories = bool(model.booster.pandas_categorical)
        model.check(model.booster.num_feature(), names, objective[1] if objective else "none", categories)
    except (ValueError, lightgbm.basic.LightGBMError) as error:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} cannot be read by LightGBM: {error}") from error
    return model


def _names(found: list[str], manifest: ModelManifest) -> list[str]:
    """None where LightGBM made them up; for the spaces of others it writes underscores."""
    if found == [f"Column_{place}" for place in range(len(found))]:
        return []
    wanted = [column.name for column in manifest.features]
    return [want if name == want.replace(" ", "_") else name for name, want in zip(found, wanted, strict=False)]
