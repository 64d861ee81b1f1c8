"""The hot paths: those that ask the model."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from modelyard_serving import invocations, v1, v2
from modelyard_serving.call import Call, Endpoint, Request

_PREDICT = ":predict"  # V1 puts its verb behind the name


class Route(NamedTuple):
    """`endpoint`, `model` and `version` are as the caller wrote them."""

    protocol: str
    parse: Callable[[Request, Endpoint], Call]
    model: str | None = None
    version: str | None = None
    endpoint: str | None = None


@lru_cache
def match(path: str) -> Route | None:
    match path.split("/"):
        case ["", "invocations"]:
            return Route("sagemaker", invocations.parse)
        case ["", "endpoints", endpoint, "invocations"]:
            return Route("sagemaker", invocations.parse, endpoint=endpoint)
        case ["", "models", model, "invoke"]:
            return Route("sagemaker", invocations.parse, model)
        case ["", "v1", "models", call] if call.endswith(_PREDICT):
            return Route("v1", v1.parse, call.removesuffix(_PREDICT))
        case ["", "v2", "models", model, "infer"]:
            return Route("v2", v2.parse, model)
        case ["", "v2", "models", model, "versions", version, "infer"]:
            return Route("v2", v2.parse, model, version)
    return None
