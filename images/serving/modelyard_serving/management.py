"""The management port: what the operator asks a server, and where it tells it to send a candidate's share."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from modelyard.contract.progress import Routing
from modelyard_serving.errors import RequestError
from modelyard_serving.serving import Serving


def management(serving: Serving) -> FastAPI:
    app = FastAPI(title="modelyard management", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/progress")
    async def progress() -> dict[str, Any]:
        return serving.reporter.current.wire()

    @app.get("/stats")
    async def stats() -> dict[str, Any]:
        return serving.stats().wire()

    @app.put("/routing")
    async def routing(routing: Routing) -> dict[str, Any]:
        serving.route(routing)
        return serving.routing.wire()

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(serving.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.exception_handler(RequestError)
    async def refused(_: Request, error: RequestError) -> JSONResponse:
        return JSONResponse({"error": error.message}, error.status)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        found = error.errors()[0]
        return JSONResponse({"error": f"{'.'.join(map(str, found['loc']))}: {found['msg']}"}, 400)

    return app
