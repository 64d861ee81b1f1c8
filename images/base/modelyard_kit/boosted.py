"""What models of XGBoost and LightGBM share: they take numbers only, by place, and know classes by their index.

Safety: their files hold no code, but the libraries' parsers can crash on damaged ones, and follow the indices of trees
without bounds. So a server tries a file out in a process of its own first, and loads from our own store only.
"""

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from modelyard_kit.matrix_model import Matrix, MatrixModel

__all__ = ["BoostedModel", "Matrix"]


@dataclass(frozen=True)
class BoostedModel(MatrixModel, ABC):
    objectives: ClassVar[tuple[str, ...]]  # those that give the probability of each class
    booster: Any

    def check(self, count: int, names: Sequence[str], objective: str, categories: bool) -> None:
        """Compares what the file says of itself with the manifest. `names` are empty where it has none.

        Raises UserFailure where it was made for other columns or classes.
        """
        features = self.manifest.features
        wanted = [column.name for column in features]
        self.check_numeric()
        if count != len(features):
            raise self.unfit(
                f"takes {count} features, the dataset has {len(features)}: fit it on the columns of MODELYARD_FEATURES"
            )
        if names and list(names) != wanted:
            place = next(at for at, name in enumerate(names) if name != wanted[at])
            raise self.unfit(
                f"has {names[place]} as feature {place + 1}, the dataset {wanted[place]}: fit it on the columns of "
                "MODELYARD_FEATURES in their order"
            )
        if categories:
            raise self.unfit("knows categories of pandas, which numbers cannot be told by: fit it on the numbers")
        self._check_outputs(objective)

    def _check_outputs(self, objective: str) -> None:
        width = self.outputs(np.full((1, len(self.manifest.features)), np.nan)).size
        classes = len(self.manifest.classes)
        if self.manifest.task == "regression":
            if width != 1:
                raise self.unfit(f"gives {width} values for a row, a regression needs one: train one for one value")
        elif objective not in self.objectives:
            raise self.unfit(
                f"has the objective {objective}, which gives no probability of each class: "
                f"use {' or '.join(self.objectives)}"
            )
        elif max(width, 2) != classes:
            raise self.unfit(
                f"tells {max(width, 2)} classes apart, label {self.manifest.label.name} has {classes} in the rows to "
                "train on: fit it on their indices in ascending order, from 0"
            )
