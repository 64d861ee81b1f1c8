"""The SageMaker codec of POST /invocations: JSON, JSON lines or CSV in; JSON, JSON lines or CSV out."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from modelyard.contract.manifest import Column
from modelyard_kit.model import Prediction
from modelyard_serving.call import CURL_DEFAULT, JSON, Answer, Call, Endpoint, Request, inference_id, parse_json
from modelyard_serving.errors import RequestError
from modelyard_serving.rows import Rows, check_count, rows_of_columns, rows_of_lists, rows_of_objects
from modelyard_serving.tensors import rows_of_tensors
from modelyard_serving.typed import cells
from modelyard_serving.values import parse_text

CSV = "text/csv"
JSON_LINES = "application/jsonlines"
INFERENCE_ID = "x-amzn-sagemaker-inference-id"
VARIANT = "x-amzn-invoked-production-variant"


def parse(request: Request, endpoint: Endpoint) -> Call:
    """Raises `RequestError` with 400, 406 or 415."""
    form = "" if request.content_type == CURL_DEFAULT else request.content_type
    if (reader := READERS.get(form)) is None:
        raise RequestError(415, f"content type {form!r} is not supported: send {JSON}, {JSON_LINES} or {CSV}")
    render, read = _writer(request.headers.get("accept", ""))
    call_id = inference_id(request.headers.get(INFERENCE_ID), request)
    rows = endpoint.typed.instances(request.body) if reader is rows_of_json else None
    rows = rows or reader(endpoint.manifest.features, request.body)

    def answer(prediction: Prediction) -> Answer:
        written = render(call_id, prediction)
        told = ((INFERENCE_ID, call_id), (VARIANT, endpoint.revision))
        return Answer(200, written.body, written.content_type, told)

    return Call(call_id, rows, answer, read)


def rows_of_json(features: Sequence[Column], body: bytes) -> Rows:
    """`{"instances": rows}`, `{"inputs": tensors, rows or columns}`, or a bare list of rows."""
    content = parse_json(body)
    if isinstance(content, dict):
        named = [name for name in ("instances", "inputs") if name in content]
        if len(named) != 1:
            raise RequestError(400, 'the body must be {"instances": [...]}, {"inputs": ...} or a list of rows')
        content = content[named[0]]
        if named == ["inputs"] and isinstance(content, dict):
            return _of_columns(features, content)
        if named == ["inputs"] and _are_tensors(content):
            return rows_of_tensors(features, content)
    return rows_of_instances(features, content)


def rows_of_json_lines(features: Sequence[Column], body: bytes) -> Rows:
    check_count(body.count(b"\n"))
    return rows_of_instances(features, [parse_json(line) for line in body.splitlines() if line.strip()])


def rows_of_csv(features: Sequence[Column], body: bytes) -> Rows:
    """With a header line of the features' names in any order, or without one in the model's order."""
    check_count(body.count(b"\n") - 1)  # without the header
    try:
        lines = [line for line in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RequestError(400, f"the body is not CSV in UTF-8: {error}") from error
    order = list(features)
    by_name = {feature.name: feature for feature in features}
    if lines and by_name.keys() == {cell.strip() for cell in lines[0]}:
        order = [by_name[cell.strip()] for cell in lines.pop(0)]
    if (at_once := cells(order, lines)) is not None:
        check_count(len(lines))
        named = {feature.name: values for feature, values in zip(order, at_once, strict=True)}
        return Rows(len(lines), tuple(named[feature.name] for feature in features))
    for number, line in enumerate(lines):
        if len(line) != len(order):
            names = ",".join(feature.name for feature in order)
            raise RequestError(400, f"row {number} has {len(line)} values, the model takes {len(order)}: send {names}")
    return rows_of_columns(
        features,
        {
            feature.name: [parse_text(line[place], feature.type) for line in lines]
            for place, feature in enumerate(order)
        },
    )


READERS: dict[str, Callable[[Sequence[Column], bytes], Rows]] = {
    "": rows_of_json,
    JSON: rows_of_json,
    JSON_LINES: rows_of_json_lines,
    "application/x-jsonlines": rows_of_json_lines,
    CSV: rows_of_csv,
}


def rows_of_instances(features: Sequence[Column], rows: object) -> Rows:
    """Rows as objects by feature name, or as lists in feature order."""
    if not isinstance(rows, list) or not rows:
        raise RequestError(400, "the request has no rows: send a list of at least one")
    if isinstance(rows[0], dict):
        return rows_of_objects(features, rows)
    return rows_of_lists(features, rows)


def _of_columns(features: Sequence[Column], columns: dict[str, Any]) -> Rows:
    for name, values in columns.items():
        if not isinstance(values, list):
            raise RequestError(400, f"column {name!r} must be a list with one value per row")
    return rows_of_columns(features, columns)


def _are_tensors(content: object) -> bool:
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "datatype" in content[0]


Render = Callable[[str, Prediction], Answer]
Read = Callable[[bytes], Sequence[Any]]


def _writer(accept: str) -> tuple[Render, Read]:
    """The first form of the Accept header that is known."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    for kind in kinds:
        if kind in ("", "*/*", "application/*", JSON):
            return _as_json, lambda body: orjson.loads(body)["predictions"]
        if kind in (CSV, "text/*"):
            return _as_csv, lambda body: [line[0] for line in csv.reader(io.StringIO(body.decode(), newline=""))]
        if kind == JSON_LINES:
            return _as_json_lines, lambda body: [orjson.loads(line)["prediction"] for line in body.splitlines()]
    raise RequestError(406, f"{accept!r} cannot be answered: accept {JSON}, {JSON_LINES} or {CSV}")


def _as_json(call_id: str, prediction: Prediction) -> Answer:
    content: dict[str, Any] = {"predictions": prediction.values, "inference_id": call_id}
    if prediction.scores is not None:
        content["probabilities"] = prediction.scores
    return Answer(200, orjson.dumps(content))


def _as_json_lines(_: str, prediction: Prediction) -> Answer:
    lines: list[dict[str, Any]] = [{"prediction": value} for value in prediction.values]
    if prediction.scores is not None:
        lines = [{**line, "probability": score} for line, score in zip(lines, prediction.scores, strict=True)]
    return Answer(200, b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines), JSON_LINES)


def _as_csv(_: str, prediction: Prediction) -> Answer:
    """One prediction per line, as the built-in algorithms of SageMaker answer."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([value] for value in prediction.values)
    return Answer(200, text.getvalue().encode(), CSV)
