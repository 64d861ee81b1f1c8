"""The binary tensor extension of V2: tensors as bytes behind the JSON, whose length a header tells.

Little-endian, row-major; an element of BYTES is four bytes of length and its content. Layout after Triton's
`extension_binary_data.md`.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from modelyard_serving.errors import RequestError

HEADER_LENGTH = "inference-header-content-length"
OCTETS = "application/octet-stream"
TYPES = {
    "BOOL": "?",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
SIZE = b"binary_data_size"
_LENGTH = struct.Struct("<I")


def header_of(body: bytes, length: str) -> tuple[bytes, memoryview]:
    """The JSON and what is behind it. Raises `RequestError` 400."""
    if not (length.isascii() and length.isdigit() and len(length) < 20 and int(length) <= len(body)):
        raise RequestError(400, f"{HEADER_LENGTH} must be the length of the JSON in bytes, at most {len(body)}")
    return body[: int(length)], memoryview(body)[int(length) :]


def read_tensors(tensors: Sequence[Any], rest: memoryview) -> list[Any]:
    """The tensors with their data as lists. Raises `RequestError` 400 that names the tensor."""
    read = []
    for tensor in tensors:
        size = _binary_size(tensor)
        if size is None:
            read.append(tensor)
            continue
        if size > len(rest):
            raise RequestError(400, f"tensor {tensor.get('name')!r} has {len(rest)} bytes left of its {size}")
        read.append({**tensor, "data": elements(tensor, rest[:size])})
        rest = rest[size:]
    if len(rest):
        raise RequestError(400, f"{len(rest)} bytes are left behind the last tensor: check binary_data_size")
    return read


def wants_binary(outputs: Any, parameters: Any) -> frozenset[str] | bool:
    """The outputs to be answered in bytes, by a request's `outputs` and `parameters`; True for all."""
    by_default = _flag(parameters, "binary_data_output")
    if not outputs or not isinstance(outputs, list):
        return by_default
    return frozenset(
        str(o.get("name"))
        for o in outputs
        if isinstance(o, dict) and _flag(o.get("parameters"), "binary_data", by_default)
    )


def encoded(datatype: str, data: Sequence[Any]) -> bytes:
    """An output's values."""
    if datatype == "BYTES":
        words = [str(value).encode() for value in data]
        return b"".join(part for word in words for part in (_LENGTH.pack(len(word)), word))
    return np.asarray(data, dtype=TYPES[datatype]).tobytes()


def outputs_of(body: bytes) -> list[dict[str, Any]]:
    """The outputs of an answer with their data as lists, whether there are bytes behind the JSON or not."""
    # Latin-1 has a letter for each byte, so that the end of the JSON is found at its place.
    _, end = json.JSONDecoder().raw_decode(body.decode("latin-1"))
    return read_tensors(orjson.loads(body[:end])["outputs"], memoryview(body)[end:])


def _binary_size(tensor: object) -> int | None:
    parameters = tensor.get("parameters") if isinstance(tensor, dict) else None
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise RequestError(400, "binary_data_size must be a number of bytes")
    return size


def elements(tensor: Mapping[str, Any], content: memoryview) -> list[Any]:
    """The values of a tensor. Raises `RequestError` 400 that names it."""
    name, datatype = tensor.get("name"), tensor.get("datatype")
    if datatype == "BYTES":
        return _words(name, content)
    if not isinstance(datatype, str) or datatype not in TYPES:
        raise RequestError(400, f"tensor {name!r} has datatype {datatype!r}: it cannot be sent in bytes")
    kind = np.dtype(TYPES[datatype])
    if len(content) % kind.itemsize:
        raise RequestError(400, f"tensor {name!r} has {len(content)} bytes, which is no multiple of {kind.itemsize}")
    found: list[Any] = np.frombuffer(content, kind).tolist()
    return found


def _words(name: object, content: memoryview) -> list[str]:
    words: list[str] = []
    at = 0
    while at < len(content):
        begin = at + _LENGTH.size
        end = begin + _LENGTH.unpack_from(content, at)[0] if begin <= len(content) else len(content) + 1
        if end > len(content):
            raise RequestError(400, f"tensor {name!r} ends within an element: each is its length and its bytes")
        words.append(word(name, len(words), content[begin:end]))
        at = end
    return words


def word(name: object, place: int, content: bytes | memoryview) -> str:
    """An element of BYTES. Raises `RequestError` 400 that names the tensor."""
    try:
        return str(content, "utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(400, f"tensor {name!r}, element {place}: {error}") from error


def _flag(parameters: object, name: str, default: bool = False) -> bool:
    return bool(parameters.get(name, default)) if isinstance(parameters, dict) else default
