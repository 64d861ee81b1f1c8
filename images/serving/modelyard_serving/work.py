"""A call on its way to its answer."""

from typing import NamedTuple

from modelyard_kit.model import Prediction
from modelyard_serving.call import Answer, Call, Request
from modelyard_serving.http import Receive
from modelyard_serving.routes import Route
from modelyard_serving.serving import Loaded, Serving


class Work(NamedTuple):
    """A call to be answered: `path` for other servers, `seconds` spent on it until now; `receive` tells when its caller
    leaves, None where the task that answers is cancelled then."""

    loaded: Loaded
    request: Request
    call: Call
    path: str
    seconds: float
    receive: Receive | None


def addressed(serving: Serving, route: Route) -> Loaded:
    """Raises RequestError where the request is for another endpoint, model or version, or none is ready."""
    serving.check_endpoint(route.endpoint)
    return serving.model(route.model, route.version)


class Outcome(NamedTuple):
    """This server's own answer; `prediction` is None where the model failed or took too long."""

    answer: Answer
    prediction: Prediction | None
    milliseconds: float
