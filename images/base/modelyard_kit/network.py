"""What neural networks have in common, whatever computes them: float32 in, one value or a probability per class out.

Rows go in batches of the sizes that a network takes: one that was exported for exactly 8 rows gets 8, padded with the
last of them, whose answers are dropped.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from modelyard_kit.matrix_model import Matrix, MatrixModel
from modelyard_kit.tabular import in_float32

EVEN = 1e-3  # how far the probabilities of a row may be from 1 together


@dataclass(frozen=True)
class Network(MatrixModel):
    @property
    def sizes(self) -> tuple[int, int | None]:
        """How many rows it takes at once: at least and at most, None for any number."""
        return 1, None

    @abstractmethod
    def forward(self, rows: Matrix) -> Matrix:
        """The network's output for float32 rows x features: rows, or rows x outputs."""

    def outputs(self, matrix: Matrix) -> Matrix:
        rows, (least, most) = in_float32(matrix), self.sizes
        step = most or max(len(rows), 1)
        parts = [self._padded(rows[at : at + step], least) for at in range(0, len(rows), step)]
        found = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found

    def _padded(self, rows: Matrix, least: int) -> Matrix:
        if len(rows) >= least:
            return self.forward(rows)
        return self.forward(np.concatenate([rows, np.repeat(rows[-1:], least - len(rows), axis=0)]))[: len(rows)]

    def check(self) -> None:
        """Asks it two rows of zeros. Raises UserFailure where it does not fit the dataset or gives no probabilities."""
        self.check_numeric()
        count, classes = len(self.manifest.features), len(self.manifest.classes)
        try:
            found = np.asarray(self.outputs(np.zeros((2, count))))
        except Exception as error:  # whatever its own code says of a shape
            first = str(error).strip().partition("\n")[0][:200]
            raise self.unfit(f"fails on rows of {count} features as float32: {first}") from error
        if self.manifest.task == "regression":
            if found.shape != (2,):
                raise self.unfit(f"gives the shape {found.shape} for 2 rows, a regression needs one value of each")
        elif found.shape != ((2, classes) if classes > 2 else (2,)) and found.shape != (2, classes):
            raise self.unfit(
                f"gives the shape {found.shape} for 2 rows, label {self.manifest.label.name} has {classes} classes in "
                "the rows to train on: give a probability of each, in ascending order of the labels"
            )
        elif not _are_probabilities(found):
            end = "Softmax(dim=1)" if found.ndim == 2 else "Sigmoid()"
            raise self.unfit(f"gives no probabilities: end it with torch.nn.{end}")


def _are_probabilities(found: Matrix) -> bool:
    whole = found.ndim == 1 or bool(np.all(np.abs(found.sum(axis=1) - 1) <= EVEN))
    return whole and bool(np.all((found >= 0) & (found <= 1)))
