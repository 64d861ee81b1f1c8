"""The data port's quiet paths, on FastAPI: metadata, health, feedback, metrics and the documentation page."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from swagger_ui_bundle import swagger_ui_path

from modelyard_serving import v2
from modelyard_serving.call import Answer, error_answer, parse_json
from modelyard_serving.errors import NotReadyError, RequestError
from modelyard_serving.explain import add_explain
from modelyard_serving.feedback import parse_feedback
from modelyard_serving.http import read_request
from modelyard_serving.openapi import openapi
from modelyard_serving.sagemaker import add_sagemaker
from modelyard_serving.serving import Serving

ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png"}


def shell(serving: Serving) -> FastAPI:
    app = FastAPI(title=serving.task.model_name, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(404, _unknown)
    _add_health(app, serving)
    add_explain(app, serving)  # before /v1/models/{model}, which takes any word
    _add_models(app, serving)
    _add_feedback(app, serving)
    add_sagemaker(app, serving)
    _add_documentation(app, serving)
    return app


def _add_health(app: FastAPI, serving: Serving) -> None:
    async def live() -> dict[str, bool]:
        return {"live": True}

    async def ready() -> dict[str, bool]:
        if not serving.ready:
            raise NotReadyError("draining" if serving.draining else f"not ready: {serving.reporter.current.stage}")
        return {"ready": True}

    async def metrics() -> Response:
        return Response(generate_latest(serving.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app.add_api_route("/v2/health/live", live)
    app.add_api_route("/v2/health/ready", ready)
    app.add_api_route("/ping", ready)
    app.add_api_route("/metrics", metrics)


def _add_models(app: FastAPI, serving: Serving) -> None:
    async def server() -> dict[str, Any]:
        return {"name": v2.SERVER, "version": serving.task.revision, "extensions": ["binary_tensor_data", "statistics"]}

    async def metadata(model: str, version: str | None = None) -> dict[str, Any]:
        return v2.metadata(serving.model(model, version).endpoint)

    async def ready(model: str, version: str | None = None) -> dict[str, Any]:
        serving.model(model, version)
        if not serving.ready:
            raise NotReadyError("draining")
        return {"name": model, "ready": True}

    async def statistics(model: str, version: str | None = None) -> dict[str, Any]:
        return v2.statistics(serving.model(model, version).endpoint, serving.metrics)

    async def models() -> dict[str, list[str]]:
        return {"models": [serving.task.model_name]}

    app.add_api_route("/v1/models", models)
    app.add_api_route("/v1/models/{model}", ready)
    app.add_api_route("/v2", server)
    for path in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        app.add_api_route(path, metadata)
        app.add_api_route(path + "/ready", ready)
        app.add_api_route(path + "/stats", statistics)


def _add_feedback(app: FastAPI, serving: Serving) -> None:
    async def feedback(model: str, request: Request) -> dict[str, int]:
        """Accepted labels are in memory; the store has them within the flush interval."""
        loaded = serving.model(model)
        content = parse_json((await read_request(request.scope, request.receive)).body)
        labels = parse_feedback(content, loaded.endpoint.manifest)
        if not loaded.labels.add(labels):
            raise RequestError(503, "the store does not take labels at the moment: send them again", retry_after=10)
        return {"accepted": len(labels)}

    app.add_api_route("/v2/models/{model}/feedback", feedback, methods=["POST"], status_code=202)


def _add_documentation(app: FastAPI, serving: Serving) -> None:
    async def document() -> JSONResponse:
        return JSONResponse(openapi(serving.task, serving.loaded.endpoint if serving.loaded else None))

    async def docs() -> HTMLResponse:
        """Addresses are relative, so that the page works behind any path prefix."""
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=serving.task.model_name,
            swagger_js_url="docs/swagger-ui-bundle.js",
            swagger_css_url="docs/swagger-ui.css",
            swagger_favicon_url="docs/favicon-32x32.png",
        )

    async def asset(name: str) -> FileResponse:
        if name not in ASSETS:
            raise RequestError(404, f"there is no {name!r}")
        return FileResponse(swagger_ui_path / name, media_type=ASSETS[name])

    app.add_api_route("/openapi.json", document)
    app.add_api_route("/docs", docs)
    app.add_api_route("/docs/{name}", asset)


async def _refused(_: Request, error: Exception) -> Response:
    return _response(error_answer(error if isinstance(error, RequestError) else RequestError(500, "failed")))


async def _unknown(request: Request, error: Exception) -> Response:
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (404, None)
    told = RequestError(status, f"{request.method} {request.url.path} is not served here: see /docs")
    return _response(error_answer(told)._replace(headers=tuple((headers or {}).items())))


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers), answer.content_type)
