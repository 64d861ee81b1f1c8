"""The SageMaker protocol: what POST /invocations takes, and in which form it answers."""

from typing import Any

import orjson
import pytest

from tests.unit.serving_image.models import Endpoint, v2_body

ROW = {"price": 3.5, "region": "north", "hour": 1}
HIGH = {"price": 30.5, "region": None, "hour": 2}
COLUMNS = {name: [ROW[name], HIGH[name]] for name in ROW}
LISTS = [[3.5, "north", 1], [30.5, None, 2]]
JSON = "application/json"
CSV = "text/csv"
LINES = "application/jsonlines"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, orjson.dumps({"instances": [ROW, HIGH]})),
        (JSON, orjson.dumps({"instances": LISTS})),
        (JSON, orjson.dumps({"inputs": LISTS})),
        (JSON, orjson.dumps({"inputs": COLUMNS})),
        (JSON, orjson.dumps(v2_body(COLUMNS))),
        (JSON, orjson.dumps([ROW, HIGH])),
        ("", orjson.dumps([ROW, HIGH])),
        ("application/json; charset=utf-8", orjson.dumps([ROW, HIGH])),
        (LINES, orjson.dumps(ROW) + b"\n\n" + orjson.dumps(HIGH) + b"\n"),
        (LINES, orjson.dumps(LISTS[0]) + b"\n" + orjson.dumps(LISTS[1])),
        (CSV, b"3.5,north,1\n30.5,,2\n"),
        (CSV, b"\xef\xbb\xbfhour,price,region\r\n1,3.5,north\r\n2,30.5,\r\n"),
        (CSV, b'3.5,"north",1\n30.5,"a ""b"", c",2'),
    ],
)
async def test_every_form_of_two_rows_is_answered(served: Endpoint, content_type: str, body: bytes) -> None:
    answer = await served.client.post("/invocations", content=body, headers={"content-type": content_type})
    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"] == ["low", "high"]
    assert answer.json()["probabilities"] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("accept", "content_type", "text"),
    [
        (CSV, CSV, "low\nhigh\n"),
        (LINES, LINES, '{"prediction":"low","probability":1.0}\n{"prediction":"high","probability":1.0}\n'),
        ("image/png, text/csv;q=0.5", CSV, "low\nhigh\n"),
    ],
)
async def test_the_answer_has_the_form_the_caller_accepts(
    served: Endpoint, accept: str, content_type: str, text: str
) -> None:
    answer = await served.client.post("/invocations", json=[ROW, HIGH], headers={"accept": accept})
    assert answer.headers["content-type"] == content_type
    assert answer.text == text


async def test_the_inference_id_of_the_header_is_echoed(served: Endpoint) -> None:
    headers = {"X-Amzn-SageMaker-Inference-Id": "call-7"}
    answer = await served.client.post("/invocations", json=[ROW], headers=headers)
    assert answer.headers["x-amzn-sagemaker-inference-id"] == "call-7"
    assert answer.json()["inference_id"] == "call-7"


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        (JSON, b"nope", "not valid JSON"),
        (JSON, b"{}", "instances"),
        (JSON, b'{"instances": []}', "no rows"),
        (JSON, b'{"instances": [1]}', "row 0 is no list"),
        (JSON, b'{"instances": [[1, "a"]]}', "row 0 has 2 values, the model takes 3: send price, region, hour"),
        (JSON, orjson.dumps([ROW, {"price": 1.0, "hour": 1}]), "column 'region' in row 1 is missing"),
        (JSON, orjson.dumps([{**ROW, "prize": 1}]), "column 'prize' in row 0 is not known"),
        (JSON, orjson.dumps([ROW, LISTS[0]]), "row 1 is no object"),
        (JSON, orjson.dumps([{**ROW, "hour": 1.5}]), "column 'hour', row 0: expected a whole number"),
        (JSON, orjson.dumps([{**ROW, "region": 5}]), "column 'region', row 0: expected a string"),
        (JSON, orjson.dumps({"inputs": {"price": 1}}), "column 'price' must be a list"),
        (CSV, b"3.5,north\n", "row 0 has 2 values, the model takes 3: send price,region,hour"),
        (CSV, b"3.5,north,1\ncheap,north,1\n", "column 'price', row 1: expected a finite number, not 'cheap'"),
        (CSV, b"inf,north,1\n", "finite"),
        (CSV, b"\xff\xfe", "UTF-8"),
        (CSV, b"", "no rows"),
        (LINES, b"{\n", "not valid JSON"),
    ],
)
async def test_a_wrong_request_is_refused_in_words(
    served: Endpoint, content_type: str, body: bytes, words: str
) -> None:
    answer = await served.client.post("/invocations", content=body, headers={"content-type": content_type})
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/invocations", {"content-type": "application/x-npy"}, 415),
        ("/invocations", {"content-type": JSON, "content-encoding": "gzip"}, 415),
        ("/invocations", {"content-type": JSON, "accept": "image/png"}, 406),
        ("/v2/models/demo/infer", {"content-type": CSV}, 415),
        ("/v2/models/demo/infer", {"content-type": "application/octet-stream"}, 415),
    ],
)
async def test_a_form_that_is_not_known_is_refused(
    served: Endpoint, path: str, headers: dict[str, str], expected: int
) -> None:
    answer = await served.client.post(path, content=orjson.dumps([ROW]), headers=headers)
    assert answer.status_code == expected
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, orjson.dumps({"instances": [LISTS[0]] * 4})),
        (JSON, orjson.dumps([ROW] * 4)),
        (JSON, orjson.dumps({"inputs": {name: values * 2 for name, values in COLUMNS.items()}})),
        (JSON, orjson.dumps(v2_body({name: values * 2 for name, values in COLUMNS.items()}))),
        (JSON, b'{"inputs": [{"name": "all", "shape": [1000000000000, 0], "datatype": "FP64", "data": []}]}'),
        (LINES, orjson.dumps(ROW) + b"\n" + (orjson.dumps(ROW) + b"\n") * 3),
        (CSV, b"3.5,north,1\n" * 4),
        (CSV, b"3.5,north,1\r" * 4),
    ],
)
async def test_more_rows_than_one_request_may_have_are_refused(
    served: Endpoint, monkeypatch: pytest.MonkeyPatch, content_type: str, body: bytes
) -> None:
    monkeypatch.setattr("modelyard_serving.rows.MAX_ROWS", 3)
    answer = await served.client.post("/invocations", content=body, headers={"content-type": content_type})
    assert answer.status_code == 413
    assert "send at most 3 at a time" in answer.json()["error"]


async def test_a_body_over_the_limit_is_refused(served: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard_serving.http.MAX_BODY", 1000)

    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 100

    for content in (b"x" * 1001, chunks()):
        answer = await served.client.post("/invocations", content=content, headers={"content-type": JSON})
        assert answer.status_code == 413
