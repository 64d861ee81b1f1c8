"""Tensors as bytes: what is sent in JSON and what is sent behind it has the same answer."""

import struct
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.progress import Routing
from modelyard_serving.binary import HEADER_LENGTH, OCTETS, encoded, outputs_of, read_tensors
from modelyard_serving.errors import RequestError
from tests.unit.serving_image.models import Endpoint
from tests.unit.serving_image.test_split import canary

INFER = "/v2/models/demo/infer"
REGIONS = b"".join(struct.pack("<I", len(word)) + word for word in (b"north", "süd".encode()))
COLUMNS = {
    "price": ("FP32", np.array([3.5, 30.5], "<f4").tobytes()),
    "region": ("BYTES", REGIONS),
    "hour": ("INT16", np.array([1, 2], "<i2").tobytes()),
}


def message(columns: dict[str, tuple[str, bytes]], **more: Any) -> dict[str, Any]:
    """The request for httpx; `more` is added to its JSON."""
    inputs = [
        {"name": name, "shape": [2], "datatype": kind, "parameters": {"binary_data_size": len(content)}}
        for name, (kind, content) in columns.items()
    ]
    head = orjson.dumps({"id": "b-1", "inputs": inputs, **more})
    return {"content": head + content_of(columns), "headers": {HEADER_LENGTH: str(len(head)), "content-type": OCTETS}}


def head_of(columns: dict[str, tuple[str, bytes]]) -> bytes:
    sent = message(columns, id="")
    return bytes(sent["content"][: int(sent["headers"][HEADER_LENGTH])])


def content_of(columns: dict[str, tuple[str, bytes]]) -> bytes:
    return b"".join(content for _, content in columns.values())


def by_name(answer: httpx.Response) -> dict[str, list[Any]]:
    return {output["name"]: output["data"] for output in outputs_of(answer.content)}


async def test_columns_in_bytes_are_rows_as_in_json(served: Endpoint) -> None:
    answer = await served.client.post(INFER, **message(COLUMNS))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert by_name(answer)["predict"] == ["low", "high"]


async def test_the_same_json_before_other_bytes_is_another_question(served: Endpoint) -> None:
    """The second time it is known where the columns are."""
    for prices, expected in (([3.5, 30.5], ["low", "high"]), ([30.5, 3.5], ["high", "low"])) * 2:
        columns = {**COLUMNS, "price": ("FP32", np.array(prices, "<f4").tobytes())}
        answer = await served.client.post(INFER, **message(columns, id=""))
        assert by_name(answer)["predict"] == expected
    assert served.serving.model().endpoint.layouts.read(head_of(columns), memoryview(content_of(columns)))


async def test_some_tensors_may_be_in_json(served: Endpoint) -> None:
    sent = message(COLUMNS)
    head = orjson.loads(sent["content"][: int(sent["headers"][HEADER_LENGTH])])
    head["inputs"][2] = {"name": "hour", "shape": [2], "datatype": "INT64", "data": [1, 2]}
    content = orjson.dumps(head)
    rest = COLUMNS["price"][1] + REGIONS
    headers = {HEADER_LENGTH: str(len(content))}
    answer = await served.client.post(INFER, content=content + rest, headers=headers)
    assert by_name(answer)["predict"] == ["low", "high"]


@pytest.mark.parametrize(
    ("asked", "in_bytes"),
    [
        ({"parameters": {"binary_data_output": True}}, {"predict", "probability"}),
        (
            {"outputs": [{"name": "predict", "parameters": {"binary_data": True}}, {"name": "predict_proba"}]},
            {"predict"},
        ),
        (
            {"parameters": {"binary_data_output": True}, "outputs": [{"name": "predict"}, {"name": "predict_proba"}]},
            {"predict", "predict_proba"},
        ),
    ],
)
async def test_outputs_are_answered_in_bytes_where_asked_for(
    served: Endpoint, asked: dict[str, Any], in_bytes: set[str]
) -> None:
    answer = await served.client.post(INFER, **message(COLUMNS, **asked))
    assert answer.headers["content-type"] == OCTETS
    length = int(answer.headers[HEADER_LENGTH])
    head = orjson.loads(answer.content[:length])
    sizes = {o["name"]: o["parameters"]["binary_data_size"] for o in head["outputs"] if "parameters" in o}
    assert sizes.keys() == in_bytes
    assert length + sum(sizes.values()) == len(answer.content)
    assert by_name(answer)["predict"] == ["low", "high"]
    if "predict_proba" in by_name(answer):
        assert np.allclose(np.reshape(by_name(answer)["predict_proba"], (2, 2)).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"price": ("FP32", b"123")}, "tensor 'price' has 3 bytes, which is no multiple of 4"),
        ({"price": ("BF16", b"1234")}, "tensor 'price' has datatype 'BF16'"),
        ({"region": ("BYTES", b"\x05\0\0\0abc")}, "tensor 'region' ends within an element"),
        ({"region": ("BYTES", b"\x05\0")}, "tensor 'region' ends within an element"),
        ({"region": ("BYTES", b"\x01\0\0\0\xff" * 2)}, "tensor 'region', element 0"),
        ({"hour": ("INT64", b"\0" * 24)}, "tensor 'hour' has 3 values, its shape [2] needs 2"),
    ],
)
async def test_bytes_that_do_not_fit_are_told_by_tensor(served: Endpoint, changes: Any, text: str) -> None:
    answer = await served.client.post(INFER, **message({**COLUMNS, **changes}))
    assert answer.status_code == 400
    assert text in answer.json()["error"]


@pytest.mark.parametrize("length", ["-1", "x", "99999", "", "9" * 5000])
async def test_a_wrong_length_of_the_json_is_refused(served: Endpoint, length: str) -> None:
    sent = message(COLUMNS)
    answer = await served.client.post(INFER, content=sent["content"], headers={HEADER_LENGTH: length})
    assert answer.status_code == 400


async def test_bytes_that_are_missing_or_left_are_refused(served: Endpoint) -> None:
    sent = message(COLUMNS)
    for content, text in ((sent["content"][:-1], "has 3 bytes left of its 4"), (sent["content"] + b"x", "1 bytes are")):
        answer = await served.client.post(INFER, content=content, headers=sent["headers"])
        assert (answer.status_code, text in answer.text) == (400, True), answer.text


async def test_a_candidate_answers_in_bytes_and_is_compared(tmp_path: Path) -> None:
    async with canary(tmp_path) as both:
        both.stable.serving.route(Routing(epoch="step-1", candidate="r2", weight=100))
        answer = await both.stable.client.post(INFER, **message(COLUMNS, parameters={"binary_data_output": True}))
        stats = both.stable.serving.stats()
    assert by_name(answer)["predict"] == ["high", "low"]
    assert (stats.compared, stats.disagreed) == (2, 2)


@given(st.lists(st.text()))
def test_words_come_back_as_they_were(words: list[str]) -> None:
    content = encoded("BYTES", words)
    tensor = {"name": "t", "datatype": "BYTES", "parameters": {"binary_data_size": len(content)}}
    assert read_tensors([tensor], memoryview(content))[0]["data"] == words


@given(st.binary(max_size=40), st.sampled_from(["BYTES", "INT64", "FP16", "BOOL"]))
def test_any_bytes_are_read_or_refused(content: bytes, datatype: str) -> None:
    tensor = {"name": "t", "datatype": datatype, "parameters": {"binary_data_size": len(content)}}
    status = 200
    try:
        read_tensors([tensor], memoryview(content))
    except RequestError as error:
        status = error.status
    assert status in (200, 400)
