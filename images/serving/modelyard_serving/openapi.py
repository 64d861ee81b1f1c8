"""The OpenAPI document of one endpoint, with requests that can be run as they stand: the model's own example rows.

Version 3.0.3, the newest that the bundled Swagger UI 4 shows.
"""

from typing import Any

from modelyard.contract.manifest import Column, ModelManifest
from modelyard.contract.tasks import ServeTask
from modelyard_serving.call import JSON, Endpoint
from modelyard_serving.invocations import CSV, JSON_LINES
from modelyard_serving.tensors import DATATYPE_OF

SCHEMA_OF: dict[str, dict[str, str]] = {
    "bool": {"type": "boolean"},
    "int64": {"type": "integer", "format": "int64"},
    "float64": {"type": "number", "format": "double"},
    "string": {"type": "string"},
    "timestamp": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
}
ERROR = {"content": {JSON: {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}}}
CODES = {
    "400": "The request does not fit the model; the message names tensor or column.",
    "413": "The body is too large, or has too many rows.",
    "415": "The content type is not supported.",
    "429": "Too many requests are in work; see Retry-After.",
    "504": "The model did not answer in time.",
    "503": "The model is loading; see Retry-After.",
}


def openapi(task: ServeTask, endpoint: Endpoint | None) -> dict[str, Any]:
    """`endpoint` is None while the model loads: then there are no examples yet."""
    model = f"/v2/models/{task.model_name}"
    manifest = endpoint.manifest if endpoint else None
    return {
        "openapi": "3.0.3",
        "info": {
            "title": task.model_name,
            "version": task.revision,
            "description": _about(manifest) if manifest else "The model is loading.",
        },
        "paths": {
            f"{model}/infer": {"post": _call("Predict (V2 protocol)", "V2", _v2_bodies(manifest))},
            "/invocations": {"post": _call("Predict (SageMaker protocol)", "SageMaker", _sagemaker_bodies(manifest))},
            f"/v1/models/{task.model_name}:predict": {
                "post": _call("Predict (V1 protocol)", "V1", _v1_bodies(manifest))
            },
            f"{model}/feedback": {"post": _call("Send labels for answered requests", "V2", _labels(manifest), "202")},
            model: {"get": _question("What the model takes and answers", "V2")},
            f"{model}/ready": {"get": _question("Whether the model answers", "V2")},
            f"/v1/models/{task.model_name}": {"get": _question("Whether the model answers", "V1")},
            "/v1/models": {"get": _question("What is served here", "V1")},
            "/v2": {"get": _question("About this server", "V2")},
            "/v2/health/live": {"get": _question("Whether the process lives", "V2")},
            "/v2/health/ready": {"get": _question("Whether requests are answered", "V2")},
            "/execution-parameters": {"get": _question("What a batch transform may send", "SageMaker")},
            "/models": {"get": _question("What is served here", "SageMaker")},
            "/ping": {"get": _question("Whether requests are answered", "SageMaker")},
            "/metrics": {"get": _question("Prometheus metrics", "Operations")},
        },
    }


def example_rows(manifest: ModelManifest) -> list[dict[str, Any]]:
    """The manifest's example as rows; none where it does not cover every feature."""
    columns = [manifest.example.get(feature.name, []) for feature in manifest.features]
    names = [feature.name for feature in manifest.features]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=False)]


def _about(manifest: ModelManifest) -> str:
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in sorted(manifest.metrics.items()))
    return (
        f"A model for {manifest.task} of `{manifest.label.name}`, trained on dataset `{manifest.dataset_name}` "
        f"(`{manifest.dataset_digest}`). On held-out rows: {metrics or 'no metrics'}."
    )


def _call(summary: str, tag: str, bodies: dict[str, Any], code: str = "200") -> dict[str, Any]:
    errors = {number: {"description": text, **ERROR} for number, text in CODES.items()}
    return {
        "summary": summary,
        "tags": [tag],
        "requestBody": {"required": True, "content": bodies},
        "responses": {code: {"description": "Done."}, **errors},
    }


def _question(summary: str, tag: str) -> dict[str, Any]:
    return {"summary": summary, "tags": [tag], "responses": {"200": {"description": "Done."}}}


def _v2_bodies(manifest: ModelManifest | None) -> dict[str, Any]:
    inputs = {"type": "array", "items": {"type": "object", "required": ["name", "shape", "datatype", "data"]}}
    body: dict[str, Any] = {
        "schema": {"type": "object", "required": ["inputs"], "properties": {"id": {"type": "string"}, "inputs": inputs}}
    }
    if manifest and (rows := example_rows(manifest)):
        tensors = [_tensor(feature, [row[feature.name] for row in rows]) for feature in manifest.features]
        body["example"] = {"id": "example-1", "inputs": tensors}
    return {JSON: body}


def _tensor(feature: Column, data: list[Any]) -> dict[str, Any]:
    return {"name": feature.name, "shape": [len(data)], "datatype": DATATYPE_OF[feature.type], "data": data}


def _sagemaker_bodies(manifest: ModelManifest | None) -> dict[str, Any]:
    if manifest is None:
        return {JSON: {"schema": {"type": "object"}}}
    row = {
        "type": "object",
        "properties": {
            feature.name: {**SCHEMA_OF[feature.type], "nullable": feature.nullable} for feature in manifest.features
        },
    }
    bodies: dict[str, Any] = {
        JSON: {"schema": {"type": "object", "properties": {"instances": {"type": "array", "items": row}}}},
        CSV: {"schema": {"type": "string"}},
        JSON_LINES: {"schema": {"type": "string"}},
    }
    if rows := example_rows(manifest):
        bodies[JSON]["example"] = {"instances": rows}
        bodies[CSV]["example"] = "\n".join(",".join(_cell(value) for value in row.values()) for row in rows)
    return bodies


def _v1_bodies(manifest: ModelManifest | None) -> dict[str, Any]:
    return {JSON: _sagemaker_bodies(manifest)[JSON]}


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(mark in text for mark in ',"\n') else text


def _labels(manifest: ModelManifest | None) -> dict[str, Any]:
    label: object = manifest.classes[0] if manifest and manifest.classes else 1.0
    return {JSON: {"schema": {"type": "object"}, "example": {"inference_id": "example-1", "label": label}}}
