"""The forms of one question: what is sent where, and how the predictions are read from what comes back.

Made here from the protocols' definitions, without the server's own codecs: an error in those must not go unseen.
"""

import csv
import io
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.contract.manifest import Column
from tests.bench.serving.request import Request

V2_PATH, V1_PATH, SAGEMAKER_PATH = "/v2/models/bench/infer", "/v1/models/bench:predict", "/invocations"
HEADER_LENGTH = "inference-header-content-length"
DATATYPES = {"float64": "FP64", "string": "BYTES"}
SEED = 3  # of the rows that are asked


@dataclass(frozen=True)
class Payload:
    """`body` makes a body, and the headers that depend on it, of rows; `read` finds the predictions in an answer."""

    name: str
    path: str
    body: Callable[[pa.Table, Sequence[Column]], tuple[bytes, Mapping[str, str]]]
    read: Callable[[bytes], list[Any]]

    def request(self, rows: pa.Table, columns: Sequence[Column], folder: Path) -> Request:
        """Writes the body to `folder`."""
        content, headers = self.body(rows, columns)
        file = folder / f"{self.name.replace(' ', '-')}-{rows.num_rows}"
        file.write_bytes(content)
        return Request(self.path, file, headers)


def v2_json(rows: pa.Table, columns: Sequence[Column]) -> tuple[bytes, Mapping[str, str]]:
    values, count = rows.to_pydict(), rows.num_rows
    inputs = [{**_tensor(column, count), "data": values[column.name]} for column in columns]
    return json.dumps({"inputs": inputs}).encode(), {}


def v2_binary(rows: pa.Table, columns: Sequence[Column]) -> tuple[bytes, Mapping[str, str]]:
    """Triton's binary tensor extension, answered in bytes, too; numbers only."""
    values, count = rows.to_pydict(), rows.num_rows
    parts = [np.asarray(values[column.name], dtype="<f8").tobytes() for column in columns]
    inputs = [
        {**_tensor(column, count), "parameters": {"binary_data_size": len(part)}}
        for column, part in zip(columns, parts, strict=True)
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(head))}
    return b"".join((head, *parts)), headers


def deepened(content: bytes, headers: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    """The same V2 request with columns of two dimensions, [rows, 1]."""
    length = int(headers.get(HEADER_LENGTH, len(content)))
    request = json.loads(content[:length])
    for tensor in request["inputs"]:
        tensor["shape"].append(1)
    head = json.dumps(request).encode()
    told = {HEADER_LENGTH: str(len(head))} if HEADER_LENGTH in headers else {}
    return head + content[length:], {**headers, **told}


def instances(rows: pa.Table, columns: Sequence[Column]) -> tuple[bytes, Mapping[str, str]]:
    """TensorFlow Serving's JSON, which `/invocations` takes as well: a list per row."""
    return json.dumps({"instances": _lists(rows, columns)}).encode(), {}


def as_csv(rows: pa.Table, columns: Sequence[Column]) -> tuple[bytes, Mapping[str, str]]:
    """Without a header line, as SageMaker's batch transform sends it; answered as CSV, too."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(_lists(rows, columns))
    return text.getvalue().encode(), {"content-type": "text/csv", "accept": "text/csv"}


def read_v2(answer: bytes) -> list[Any]:
    """Of JSON, or of JSON and the bytes of its outputs in their order."""
    # Latin-1 has a letter for each byte, so that the end of the JSON is found at its place.
    head, at = json.JSONDecoder().raw_decode(answer.decode("latin-1"))
    for output in head["outputs"]:
        size = (output.get("parameters") or {}).get("binary_data_size")  # KServe says null
        if output["name"] == "predict":
            return list(output["data"]) if size is None else _elements(output["datatype"], answer[at : at + size])
        at += size or 0
    return []


def read_predictions(answer: bytes) -> list[Any]:
    found: list[Any] = json.loads(answer)["predictions"]
    return found


def read_csv(answer: bytes) -> list[Any]:
    return [line[0] for line in csv.reader(io.StringIO(answer.decode(), newline=""))]


def _tensor(column: Column, count: int) -> dict[str, Any]:
    return {"name": column.name, "shape": [count], "datatype": DATATYPES[column.type]}


def _lists(rows: pa.Table, columns: Sequence[Column]) -> list[list[Any]]:
    values = rows.to_pydict()
    return [list(row) for row in zip(*(values[column.name] for column in columns), strict=True)]


def _elements(datatype: str, content: bytes) -> list[Any]:
    """An element of BYTES is four bytes of length and its content."""
    if datatype == "FP64":
        return [value for (value,) in struct.iter_unpack("<d", content)]
    found = []
    while content:
        (length,) = struct.unpack_from("<I", content)
        found.append(content[4 : 4 + length].decode())
        content = content[4 + length :]
    return found


V2_JSON = Payload("V2 JSON", V2_PATH, v2_json, read_v2)
V2_BINARY = Payload("V2 binary", V2_PATH, v2_binary, read_v2)
V1_JSON = Payload("V1 JSON", V1_PATH, instances, read_predictions)
SAGEMAKER_CSV = Payload("SageMaker CSV", SAGEMAKER_PATH, as_csv, read_csv)
SAGEMAKER_JSON = Payload("SageMaker JSON", SAGEMAKER_PATH, instances, read_predictions)
OTHERS = (V2_BINARY, V1_JSON, SAGEMAKER_CSV, SAGEMAKER_JSON)
