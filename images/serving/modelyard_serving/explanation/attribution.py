"""What an explanation of one row says."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Attribution:
    """`values[k] == base[k] + attributions[k].sum()` for each output k, up to rounding.

    values, base: shape [outputs]. attributions: [outputs, columns]; errors: the same, their standard errors, None where
    the values are exact or a single sample was drawn. `evaluations`: rows that the model was asked. `background`: rows
    of the sample that were used. `ended`: whether the budget ended it before all of them were.
    """

    values: Floats
    base: Floats
    attributions: Floats
    errors: Floats | None
    evaluations: int
    background: int
    ended: bool


class UnfitError(Exception):
    """The exact method does not fit this model: the message says why."""


Vector = npt.NDArray[Any]
