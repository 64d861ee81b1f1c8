"""What the documentation says of requests' bodies: as tight as JSON Schema can say it, with the model's own rows as
examples that can be sent as they stand."""

from typing import Any

import orjson

from modelyard.contract.manifest import Column, ModelManifest
from modelyard_serving.call import JSON, MAX_ID
from modelyard_serving.explanation.options import MAX_EVALUATIONS, MAX_SECONDS, METHODS, Options
from modelyard_serving.feedback import MAX_ROW_ID
from modelyard_serving.invocations import CSV, JSON_LINES
from modelyard_serving.tensors import DATATYPE_OF, DATATYPES

SCHEMA_OF: dict[str, dict[str, str]] = {
    "bool": {"type": "boolean"},
    "int64": {"type": "integer", "format": "int64"},
    "float64": {"type": "number", "format": "double"},
    "string": {"type": "string"},
    "timestamp": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
}
LABEL_ID = {"type": "string", "minLength": 1, "maxLength": MAX_ROW_ID}
TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        "datatype": {"type": "string", "enum": sorted(DATATYPES)},
        "data": {"type": "array", "items": {}},
    },
}
_EXPLAIN = {
    "type": "object",
    "properties": {
        "method": {"type": "string", "enum": list(METHODS), "default": "auto"},
        "evaluations": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_EVALUATIONS,
            "default": Options().evaluations,
            "description": "Rows that the model is asked at most, where the method asks it.",
        },
        "seconds": {
            "type": "number",
            "minimum": 0,
            "exclusiveMinimum": True,
            "maximum": MAX_SECONDS,
            "default": Options().seconds,
        },
    },
}

Content = dict[str, Any]  # media type -> schema and example


def example_rows(manifest: ModelManifest) -> list[dict[str, Any]]:
    """The manifest's example as rows; none where it does not cover every feature."""
    columns = [manifest.example.get(feature.name, []) for feature in manifest.features]
    names = [feature.name for feature in manifest.features]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=False)]


def v2_bodies(manifest: ModelManifest | None) -> Content:
    inputs = {"type": "array", "items": TENSOR, "minItems": 1}
    call_id = {"type": "string", "maxLength": MAX_ID, "nullable": True}
    body: Content = {
        "schema": {"type": "object", "required": ["inputs"], "properties": {"id": call_id, "inputs": inputs}}
    }
    if manifest and (rows := example_rows(manifest)):
        tensors = [_tensor(feature, [row[feature.name] for row in rows]) for feature in manifest.features]
        body["example"] = {"id": "example-1", "inputs": tensors}
    return {JSON: body}


def sagemaker_bodies(manifest: ModelManifest | None) -> Content:
    return {JSON: _instances(manifest), **_texts(manifest)}


def v1_bodies(manifest: ModelManifest | None) -> Content:
    return {JSON: _instances(manifest)}


def explained(content: Content) -> Content:
    """Of the same rows, with the parameters of an explanation; the example asks for a small one."""
    schema = {**content[JSON]["schema"]}
    schema["properties"] = {**schema.get("properties", {}), "parameters": _EXPLAIN}
    body = {**content[JSON], "schema": schema}
    if "example" in body:
        body["example"] = {**body["example"], "parameters": {"method": "auto", "seconds": 5}}
    return {JSON: body}


def labels(manifest: ModelManifest | None) -> Content:
    label: object = manifest.classes[0] if manifest and manifest.classes else 1.0
    number = {"type": "number", "format": "double"}
    words = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "boolean"}, number]}
    properties = {"inference_id": LABEL_ID, "label": words if manifest is None or manifest.classes else number}
    schema = {"type": "object", "required": ["inference_id", "label"], "properties": properties}
    return {JSON: {"schema": schema, "example": {"inference_id": "example-1", "label": label}}}


def model_to_load() -> Content:
    properties = {"model_name": {"type": "string"}, "url": {"type": "string"}}
    return {JSON: {"schema": {"type": "object", "required": ["model_name"], "properties": properties}}}


def _tensor(feature: Column, data: list[Any]) -> dict[str, Any]:
    return {"name": feature.name, "shape": [len(data)], "datatype": DATATYPE_OF[feature.type], "data": data}


def _instances(manifest: ModelManifest | None) -> dict[str, Any]:
    if manifest is None:
        return {"schema": {"type": "object"}}
    row = {
        "type": "object",
        "required": [feature.name for feature in manifest.features],
        "properties": {
            feature.name: {**SCHEMA_OF[feature.type], "nullable": feature.nullable} for feature in manifest.features
        },
        "additionalProperties": False,
    }
    rows = {"type": "array", "items": row, "minItems": 1}
    body: dict[str, Any] = {"schema": {"type": "object", "required": ["instances"], "properties": {"instances": rows}}}
    if examples := example_rows(manifest):
        body["example"] = {"instances": examples}
    return body


def _texts(manifest: ModelManifest | None) -> Content:
    rows = example_rows(manifest) if manifest else []
    if not rows:
        return {}
    text = "\n".join(",".join(_cell(value) for value in row.values()) for row in rows)
    lines = "\n".join(orjson.dumps(row).decode() for row in rows)
    return {
        CSV: {"schema": {"type": "string"}, "example": text},
        JSON_LINES: {"schema": {"type": "string"}, "example": lines},
    }


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(mark in text for mark in ',"\n') else text
