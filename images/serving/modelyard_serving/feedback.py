"""Labels that callers send back, by the inference id of the row they belong to."""

from datetime import UTC, datetime
from typing import Any

from modelyard.contract.manifest import ModelManifest
from modelyard_serving.call import MAX_ID
from modelyard_serving.errors import RequestError
from modelyard_serving.records import LabelRecord, row_id
from modelyard_serving.rows import check_count

MAX_ROW_ID = MAX_ID + 16  # characters: a row's id is longer than its request's


def parse_feedback(content: object, manifest: ModelManifest) -> list[LabelRecord]:
    """`{"inference_id", "label"}`, `{"inference_id", "labels": one per row}`, or `{"labels": [of the first form]}`.

    Raises `RequestError` 400, or 413 for more labels than a request may have rows.
    """
    if not isinstance(content, dict):
        raise RequestError(400, 'the body must be a JSON object: {"inference_id": "...", "label": ...}')
    labels = content.get("labels")
    if labels is None:
        return [_record(content, manifest)]
    if not isinstance(labels, list) or not labels:
        raise RequestError(400, "labels must be a list of at least one label")
    check_count(len(labels))
    if "inference_id" not in content:
        return [_record(item, manifest, f"labels[{place}]") for place, item in enumerate(labels)]
    request_id = _id(content["inference_id"], "inference_id")
    ids = [row_id(request_id, row, len(labels)) for row in range(len(labels))]
    return [
        _record({"inference_id": identity, "label": value}, manifest, f"labels[{place}]")
        for place, (identity, value) in enumerate(zip(ids, labels, strict=True))
    ]


def label_text(value: object, manifest: ModelManifest) -> str:
    """The label as captured predictions spell it: `true` for a bool, `1` for 1 and 1.0. Raises ValueError."""
    if manifest.task == "regression":
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError("the label must be a number")
        return repr(float(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float | str) and value != "":
        return str(value)
    raise ValueError("the label must be a string, a number or a bool")


def _record(item: object, manifest: ModelManifest, where: str = "the body") -> LabelRecord:
    if not isinstance(item, dict) or "inference_id" not in item or "label" not in item:
        raise RequestError(400, f"{where} needs inference_id and label")
    identity = _id(item["inference_id"], where)
    try:
        return LabelRecord(datetime.now(UTC), identity, label_text(item["label"], manifest))
    except ValueError as error:
        raise RequestError(400, f"label of {identity!r}: {error}") from error


def _id(value: Any, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ROW_ID:
        raise RequestError(400, f"{where}: inference_id must be the id of an answered request")
    return value
