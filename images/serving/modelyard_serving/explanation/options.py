"""What a request for explanations may ask for, in its `parameters`."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from modelyard_serving.errors import RequestError

Method = Literal["auto", "tree_shap", "permutation"]
METHODS: tuple[Method, ...] = ("auto", "tree_shap", "permutation")
MAX_EVALUATIONS = 200_000  # rows that the model is asked
MAX_SECONDS = 30.0


class Options(NamedTuple):
    method: Method = "auto"  # the exact one where it fits
    evaluations: int = 20_000
    seconds: float = 10.0


def options_of(body: Mapping[str, Any]) -> Options:
    """Raises RequestError 400 that names the parameter; those of other servers are not looked at, as in V2."""
    given = body.get("parameters", {})
    if not isinstance(given, dict):
        raise RequestError(400, f"parameters must be an object with any of {', '.join(Options._fields)}")
    found = Options(**{name: given[name] for name in Options._fields if name in given})
    if found.method not in METHODS:
        raise RequestError(400, f"parameters.method must be one of {', '.join(METHODS)}")
    if type(found.evaluations) is not int or not 1 <= found.evaluations <= MAX_EVALUATIONS:
        raise RequestError(400, f"parameters.evaluations must be a whole number from 1 to {MAX_EVALUATIONS}")
    if type(found.seconds) not in (int, float) or not 0 < found.seconds <= MAX_SECONDS:
        raise RequestError(400, f"parameters.seconds must be a number above 0, at most {MAX_SECONDS:g}")
    return found
