"""The OpenAPI document of one endpoint, with requests that can be run as they stand: the model's own example rows.

Version 3.0.3, the newest that the bundled Swagger UI 4 shows.
"""

from typing import Any

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.tasks import ServeTask
from modelyard_serving.bodies import Content, explained, labels, model_to_load, sagemaker_bodies, v1_bodies, v2_bodies
from modelyard_serving.call import JSON, Endpoint

ERROR = {"content": {JSON: {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}}}
CODES = {
    "400": "The request does not fit the model; the message names tensor or column.",
    "413": "The body is too large, or has too many rows.",
    "415": "The content type is not supported.",
    "429": "Too many requests are in work; see Retry-After.",
    "504": "The model did not answer in time.",
    "503": "The model is loading; see Retry-After.",
}
_NUMBERS = {"type": "object", "additionalProperties": {"type": "number", "nullable": True}}
EXPLANATION = {
    "type": "object",
    "required": ["model_name", "model_version", "id", "method", "scale", "predictions", "explanations"],
    "properties": {
        "method": {"type": "string", "enum": ["tree_shap", "permutation"]},
        "scale": {"type": "string", "enum": ["value", "probability", "log-odds", "membership"]},
        "predictions": {"type": "array", "items": {}},
        "explanations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["outputs", "evaluations", "background_rows", "budget_ended"],
                "properties": {
                    "outputs": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["name", "value", "base_value", "attributions"],
                            "properties": {"attributions": _NUMBERS, "standard_errors": _NUMBERS},
                        },
                    },
                    "evaluations": {"type": "integer"},
                    "background_rows": {"type": "integer"},
                    "budget_ended": {"type": "boolean"},
                },
            },
        },
    },
}
LOAD = {
    "summary": "What multi-model endpoints ask: refused, since the resource says what is served",
    "tags": ["SageMaker"],
    "requestBody": {"required": True, "content": model_to_load()},
    "responses": {
        "400": {"description": "The body names no model.", **ERROR},
        "409": {"description": "That model is served.", **ERROR},
        "507": {"description": "This endpoint serves another model.", **ERROR},
    },
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
            f"{model}/infer": {"post": _call("Predict (V2 protocol)", "V2", v2_bodies(manifest))},
            "/invocations": {"post": _call("Predict (SageMaker protocol)", "SageMaker", sagemaker_bodies(manifest))},
            f"/v1/models/{task.model_name}:predict": {
                "post": _call("Predict (V1 protocol)", "V1", v1_bodies(manifest))
            },
            "/explain": {"post": _why("Explain (either protocol's rows)", "V1", v1_bodies(manifest))},
            f"{model}/explain": {"post": _why("Explain (V2 protocol)", "V2", v2_bodies(manifest))},
            f"/v1/models/{task.model_name}:explain": {"post": _why("Explain (V1 protocol)", "V1", v1_bodies(manifest))},
            f"{model}/feedback": {"post": _call("Send labels for answered requests", "V2", labels(manifest), "202")},
            model: {"get": _question("What the model takes and answers", "V2")},
            f"{model}/ready": {"get": _question("Whether the model answers", "V2")},
            f"{model}/stats": {"get": _question("What was asked, and how long it took", "V2")},
            f"/v1/models/{task.model_name}": {"get": _question("Whether the model answers", "V1")},
            "/v1/models": {"get": _question("What is served here", "V1")},
            "/v2": {"get": _question("About this server", "V2")},
            "/v2/health/live": {"get": _question("Whether the process lives", "V2")},
            "/v2/health/ready": {"get": _question("Whether requests are answered", "V2")},
            "/execution-parameters": {"get": _question("What a batch transform may send", "SageMaker")},
            "/models": {"get": _question("What is served here", "SageMaker"), "post": LOAD},
            "/ping": {"get": _question("Whether requests are answered", "SageMaker")},
            "/metrics": {"get": _question("Prometheus metrics", "Operations")},
        },
    }


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


def _why(summary: str, tag: str, bodies: Content) -> dict[str, Any]:
    found = _call(summary, tag, explained(bodies))
    said = "Shapley values of the columns, of each row and output."
    found["responses"]["200"] = {"description": said, "content": {JSON: {"schema": EXPLANATION}}}
    found["responses"]["501"] = {"description": "The model was published without a sample of its rows.", **ERROR}
    return found


def _question(summary: str, tag: str) -> dict[str, Any]:
    return {"summary": summary, "tags": [tag], "responses": {"200": {"description": "Done."}}}
