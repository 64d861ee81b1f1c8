"""The paths that ask why: V1's `:explain` as KServe's client sends it, the same for V2, and /explain.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol; V2 has no such path of its own.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import FastAPI, Response
from fastapi import Request as Incoming
from starlette.exceptions import HTTPException

from modelyard_serving import binary, v1, v2
from modelyard_serving.answering import refusal
from modelyard_serving.call import Answer, Call, Endpoint, Request, parse_json
from modelyard_serving.errors import RequestError
from modelyard_serving.exchange import FAILED
from modelyard_serving.explanation.budget import Budget
from modelyard_serving.explanation.options import options_of
from modelyard_serving.http import DisconnectedError, read_request
from modelyard_serving.serving import Serving

if TYPE_CHECKING:
    from modelyard_serving.explanation.attribution import Attribution
    from modelyard_serving.explanation.explainer import Explained

MAX_ROWS = 100
MAX_NUMBERS = 100_000  # attributions of one answer
ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]  # else /v1/models/{model} takes them
Parse = Callable[[Request, Endpoint], Call]


def add_explain(app: FastAPI, serving: Serving) -> None:
    def path(parse: Parse) -> Callable[[Incoming], Any]:
        async def explain(request: Incoming) -> Response:
            if request.method != "POST":
                raise HTTPException(405, headers={"Allow": "POST"})
            started = time.perf_counter()
            try:
                answer = await _answer(serving, parse, request)
            except DisconnectedError:
                return Response()  # nobody gets it
            except Exception as error:
                answer = refusal(error, FAILED, serving.personal)
            serving.metrics.explained(answer.status, time.perf_counter() - started)
            return Response(answer.body, answer.status, dict(answer.headers), answer.content_type)

        return explain

    app.add_api_route("/explain", path(_by_body), methods=["POST"])
    app.add_api_route("/v1/models/{model}:explain", path(v1.parse), methods=ANY)
    app.add_api_route("/v2/models/{model}/explain", path(v2.parse), methods=["POST"])
    app.add_api_route("/v2/models/{model}/versions/{version}/explain", path(v2.parse), methods=["POST"])


async def _answer(serving: Serving, parse: Parse, incoming: Incoming) -> Answer:
    """By this server's own model, also while a candidate takes a share. Raises RequestError, DisconnectedError."""
    loaded = serving.model(incoming.path_params.get("model"), incoming.path_params.get("version"))
    request = await read_request(incoming.scope, incoming.receive)
    call = parse(request, loaded.endpoint)
    options = options_of(_body(request))
    _check_size(call, loaded.endpoint)
    budget = Budget(options.evaluations, options.seconds, call.rows.count)
    try:
        found = loaded.explanations.explain(
            call.rows, options.method, budget, partial(_written, loaded.endpoint, call.inference_id)
        )
        body = await serving.patience.awaited(found, incoming.receive, call.seconds)
    finally:
        budget.stop()
    return Answer(200, body, headers=((v1.INFERENCE_ID, call.inference_id),))


def _by_body(request: Request, endpoint: Endpoint) -> Call:
    """Rows as `instances`, as V1 has them, or tensors as `inputs`, as V2 has."""
    body = _body(request)
    parse: Parse = v2.parse if isinstance(body, dict) and "inputs" in body else v1.parse
    return parse(request, endpoint)


def _body(request: Request) -> Any:
    length = request.headers.get(binary.HEADER_LENGTH)
    return parse_json(binary.header_of(request.body, length)[0] if length else request.body)


def _check_size(call: Call, endpoint: Endpoint) -> None:
    outputs = max(1, len(endpoint.manifest.classes))
    most = max(1, min(MAX_ROWS, MAX_NUMBERS // (outputs * len(endpoint.manifest.features))))
    if call.rows.count > most:
        raise RequestError(413, f"the request has {call.rows.count:,} rows: ask for the explanation of at most {most}")


def _written(endpoint: Endpoint, call_id: str, found: "Explained") -> bytes:
    names = [column.name for column in endpoint.manifest.features]
    return orjson.dumps(
        {
            "model_name": endpoint.name,
            "model_version": endpoint.revision,
            "id": call_id,
            "method": found.method,
            "scale": found.scale,
            "predictions": found.predictions,
            "explanations": [_row(row, found.outputs, names) for row in found.rows],
        }
    )


def _row(row: "Attribution", outputs: Any, names: list[str]) -> dict[str, Any]:
    told = []
    for place, name in enumerate(outputs):
        one: dict[str, Any] = {"name": name, "value": float(row.values[place]), "base_value": float(row.base[place])}
        one["attributions"] = dict(zip(names, (row.attributions[place] + 0.0).tolist(), strict=True))
        if row.errors is not None:
            one["standard_errors"] = dict(zip(names, row.errors[place].tolist(), strict=True))
        told.append(one)
    counts = {"evaluations": row.evaluations, "background_rows": row.background, "budget_ended": row.ended}
    return {"outputs": told, **counts}
