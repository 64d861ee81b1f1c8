"""What models that take numbers only, by place, and know classes by their index have in common."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure
from modelyard_kit.model import LoadedModel, Prediction
from modelyard_kit.tabular import table_matrix, values_matrix

Matrix = npt.NDArray[Any]


@dataclass(frozen=True)
class MatrixModel(LoadedModel):
    library: ClassVar[str]  # as messages name it

    def predict(self, table: pa.Table) -> Prediction:
        return self._answered(table_matrix(table, self.manifest.features))

    def predict_columns(self, columns: Sequence[Sequence[Any]]) -> Prediction:
        """Without Arrow in between."""
        return self._answered(values_matrix(columns, self.manifest.features))

    @abstractmethod
    def outputs(self, matrix: Matrix) -> Matrix:
        """Of each row its value, the probability of the second of two classes, or that of each class."""

    def _answered(self, matrix: Matrix) -> Prediction:
        found = np.asarray(self.outputs(matrix), dtype=np.float64)
        if self.manifest.task == "regression":
            return Prediction(found.ravel().tolist())
        return self.chosen(found if found.ndim == 2 else np.column_stack([1 - found, found]))

    def check_numeric(self) -> None:
        """Raises UserFailure where a feature is text."""
        text = [column.name for column in self.manifest.features if column.type == "string"]
        if text:
            raise self.unfit(
                f"takes numbers only, and feature {text[0]} is text: encode it in the Dataset's spec.transform.sql, "
                "or use a scikit-learn pipeline, saved as model.skops"
            )

    def unfit(self, how: str) -> UserFailure:
        return UserFailure(Reason.USER_ERROR, f"the {self.library} model {how}")
