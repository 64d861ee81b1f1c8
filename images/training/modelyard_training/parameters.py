"""The parameters of the recipe tabular: spec.parameters as typed, bounded values."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure


class TabularParameters(BaseModel):
    """`model` boosting: HistGradientBoosting; linear: logistic or ridge regression on scaled columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["boosting", "linear"] = "boosting"
    learning_rate: float = Field(default=0.1, gt=0, le=1)
    max_iter: int = Field(default=100, ge=1, le=10000)  # trees per class, or steps of the solver
    max_depth: int | None = Field(default=None, ge=1, le=64)
    max_leaf_nodes: int = Field(default=31, ge=2, le=4096)
    l2_regularization: float | None = Field(default=None, ge=0)  # where absent: 0 of boosting, 1 of linear
    min_samples_leaf: int = Field(default=20, ge=1)

    @property
    def l2(self) -> float:
        if self.l2_regularization is not None:
            return self.l2_regularization
        return 1.0 if self.model == "linear" else 0.0


LINEAR = frozenset({"model", "max_iter", "l2_regularization"})


def parse_parameters(given: Mapping[str, str]) -> TabularParameters:
    """Raises UserFailure(UserError) that names the first wrong parameter and what is possible."""
    try:
        parameters = TabularParameters.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise _refused(name, f"is unknown; there are {', '.join(TabularParameters.model_fields)}") from error
        raise _refused(name, f"= {given.get(name)!r} is wrong: {first['msg']}") from error
    if parameters.model == "linear":
        for name in sorted(parameters.model_fields_set - LINEAR):
            raise _refused(name, "is for model boosting only: remove it, or use model: boosting")
    return parameters


def _refused(name: str, why: str) -> UserFailure:
    return UserFailure(Reason.USER_ERROR, f"spec.parameters.{name} {why}")
