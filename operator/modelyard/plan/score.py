"""A model's metrics as status holds them, and whether they meet the objective."""

from collections.abc import Mapping
from decimal import Decimal

from modelyard.api.training import Objective

USUAL = ("accuracy", "rmse")  # what people ask for first
METRICS_KEPT = 16  # the bounds in the CRD
DECIMAL_LENGTH = 20


def significant(value: float, digits: int = 6) -> str:
    """A number as the API's decimals: so many significant digits, no exponent."""
    return f"{Decimal(f'{value:.{digits}g}').normalize():f}"


def metrics_of(values: Mapping[str, float]) -> dict[str, str]:
    """By name. A number too long for the API's decimals says nothing about a model and is left out."""
    shown = {name: significant(value) for name, value in sorted(values.items())}
    return dict([(n, v) for n, v in shown.items() if len(v) <= DECIMAL_LENGTH][:METRICS_KEPT])


def score(objective: Objective | None, values: Mapping[str, float]) -> str | None:
    """The metric of the objective, else the usual one: `accuracy=0.86`. None where nothing was measured."""
    wanted = (objective.metric,) if objective else ()
    name = next((m for m in (*wanted, *USUAL) if m in values), min(values, default=None))
    return f"{name}={significant(values[name], 4)}"[:64] if name else None


def missed(objective: Objective | None, values: Mapping[str, float]) -> str:
    """How the objective was missed, with the figures; empty where it was met."""
    if objective is None:
        return ""
    value = values.get(objective.metric)
    if value is None:
        measured = ", ".join(sorted(values)) or "nothing"
        return f"{objective.metric} was not measured: set spec.objective.metric to one of {measured}"
    shown = f"{objective.metric} is {significant(value, 4)}"
    if objective.minimum is not None and value < float(objective.minimum):
        return f"{shown}, spec.objective asks for at least {objective.minimum}"
    if objective.maximum is not None and value > float(objective.maximum):
        return f"{shown}, spec.objective asks for at most {objective.maximum}"
    return ""
