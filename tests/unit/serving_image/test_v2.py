"""The V2 protocol: requests as tensors, and errors that name the tensor or column."""

import time
from typing import Any

import orjson
import pytest

from modelyard_kit.model import LoadedModel
from modelyard_kit.skops_format import SklearnModel
from tests.unit.serving_image import models
from tests.unit.serving_image.models import NUMERIC, Endpoint, Place, v2_body

INFER = "/v2/models/demo/infer"
COLUMNS: dict[str, list[Any]] = {"price": [3.5, 30.5], "region": ["north", None], "hour": [1, 2]}


def tensor(name: str = "price", **changes: Any) -> dict[str, Any]:
    return {"name": name, "shape": [1], "datatype": "FP64", "data": [1.0], **changes}


def body(*tensors: dict[str, Any]) -> dict[str, Any]:
    rest = [tensor("region", datatype="BYTES", data=["north"]), tensor("hour", datatype="INT64", data=[1])]
    return {"inputs": [*tensors, *rest]}


async def test_columns_are_answered_with_classes_and_their_probabilities(served: Endpoint) -> None:
    answer = await served.client.post(INFER, json=v2_body(COLUMNS, id="call-1"))
    assert answer.status_code == 200
    assert answer.json() == {
        "model_name": "demo",
        "model_version": "r1",
        "id": "call-1",
        "outputs": [
            {"name": "predict", "datatype": "BYTES", "shape": [2], "data": ["low", "high"]},
            {"name": "probability", "datatype": "FP64", "shape": [2], "data": [1.0, 1.0]},
        ],
    }


async def test_outputs_that_are_asked_for_are_answered_alone(served: Endpoint) -> None:
    asked = v2_body(COLUMNS, outputs=[{"name": "predict_proba"}])
    outputs = (await served.client.post(INFER, json=asked)).json()["outputs"]
    assert outputs == [{"name": "predict_proba", "datatype": "FP64", "shape": [2, 2], "data": [0.0, 1.0, 1.0, 0.0]}]


async def test_a_request_without_an_id_gets_a_new_one(served: Endpoint) -> None:
    ids = {(await served.client.post(INFER, json=v2_body(COLUMNS))).json()["id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(ids)


async def test_the_version_in_the_path_is_the_revision(served: Endpoint) -> None:
    assert (await served.client.post("/v2/models/demo/versions/r1/infer", json=v2_body(COLUMNS))).status_code == 200
    other = await served.client.post("/v2/models/demo/versions/r9/infer", json=v2_body(COLUMNS))
    assert other.status_code == 404
    assert "r9" in other.json()["error"]


@pytest.mark.parametrize("shape", [[2], [2, 1]])
async def test_a_column_may_be_nested(served: Endpoint, shape: list[int]) -> None:
    asked = v2_body(COLUMNS)
    asked["inputs"][0] = tensor(shape=shape, data=[[3.5], [30.5]])
    answer = await served.client.post(INFER, json=asked)
    assert answer.json()["outputs"][0]["data"] == ["low", "high"]


@pytest.mark.parametrize("data", [[3.0, 1, 33.0, 2], [[3.0, 1], [33.0, 2]]])
async def test_one_matrix_serves_a_model_of_numbers(where: Place, data: list[Any]) -> None:
    digest = models.publish(where, "classification", NUMERIC)
    async with models.endpoint(where, where.task(digest), models.load(where, digest)) as served:
        asked = {"inputs": [tensor("input-0", shape=[2, 2], data=data)]}
        answer = await served.client.post(INFER, json=asked)
    assert answer.json()["outputs"][0]["data"] == ["low", "high"]


async def test_a_regression_answers_numbers(where: Place) -> None:
    digest = models.publish(where, "regression")
    async with models.endpoint(where, where.task(digest), models.load(where, digest)) as served:
        (output,) = (await served.client.post(INFER, json=v2_body(COLUMNS))).json()["outputs"]
    assert output["datatype"] == "FP64"
    assert output["data"] == pytest.approx([8.0, 62.0])


WRONG: list[tuple[Any, str]] = [
    (b"{", "not valid JSON"),
    ([], "JSON object"),
    ({}, "inputs is missing"),
    ({"inputs": [{"shape": [1]}]}, "name"),
    (body(tensor(datatype="FP8")), "'price' has datatype 'FP8'"),
    (body(tensor(shape=[2])), "'price' has 1 values, its shape [2] needs 2"),
    (body(tensor(shape=[1.5])), "'price' needs a shape"),
    (body(tensor(data=None)), "'price' needs data"),
    (body(tensor(shape=[1, 2], data=[1.0, 2.0])), "'price' has shape [1, 2]"),
    (body(tensor(shape=[1, 1, 1])), "'price' has shape [1, 1, 1]: a column's shape is [rows] or [rows, 1]"),
    (body(tensor(shape=[1, *[2**63 - 1] * 20_000])), "'price' has shape of 20001 sizes"),
    (body(tensor(data=[[[1.0]]])), "lists within its data that are deeper than its shape [1]"),
    (body(tensor(), tensor()), "'price' is given twice"),
    (body(tensor("prize")), "'prize' is not known"),
    (body(), "'price' is missing"),
    (body(tensor(shape=[2], data=[1.0, 2.0])), "has 1 rows, column 'price' has 2"),
    (body(tensor(shape=[0], data=[])), "no rows"),
    (body(tensor(datatype="BYTES", data=["much"])), "column 'price', row 0: expected a finite number, not 'much'"),
    (body(tensor(data=[True])), "expected a finite number"),
    (body(tensor(data=[None])), "column 'price', row 0: null is not allowed"),
    ({"inputs": [tensor("x", shape=[1, 3], data=[1, 2, 3])]}, "cannot carry column 'region'"),
    ({**body(tensor()), "id": 7}, "inference id must be a string"),
    ({**body(tensor()), "id": "a\nb"}, "printable"),
    ({**body(tensor()), "outputs": [{"name": "odds"}]}, "'odds' is not known"),
    ({**body(tensor()), "outputs": True}, "outputs must be a list"),
    ({**body(tensor()), "outputs": {"name": "predict"}, "other": 1}, "outputs must be a list"),
]


@pytest.mark.parametrize(("content", "words"), WRONG)
async def test_a_wrong_request_is_refused_in_words(served: Endpoint, content: Any, words: str) -> None:
    raw = content if isinstance(content, bytes) else orjson.dumps(content)
    answer = await served.client.post(INFER, content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert words in answer.json()["error"]


async def test_data_that_is_deep_and_wide_costs_no_copy_per_level(served: Endpoint) -> None:
    data = b"[" * 1000 + b"1" + b"]" * 1000 + b",1" * 300_000
    content = b'{"inputs":[{"name":"price","shape":[1],"datatype":"FP64","data":[%b]}]}' % data
    started = time.perf_counter()
    answer = await served.client.post(INFER, content=content)
    assert time.perf_counter() - started < 3  # a copy of it for each level takes longer
    assert (answer.status_code, "deeper than its shape [1]" in answer.text) == (400, True)


async def test_metadata_lists_the_columns_and_outputs(served: Endpoint) -> None:
    found = (await served.client.get("/v2/models/demo")).json()
    assert [(column["name"], column["datatype"]) for column in found["inputs"]] == [
        ("price", "FP64"),
        ("region", "BYTES"),
        ("hour", "INT64"),
    ]
    assert [output["name"] for output in found["outputs"]] == ["predict", "probability", "predict_proba"]
    assert found["parameters"]["classes"] == ["high", "low"]
    assert found == (await served.client.get("/v2/models/demo/versions/r1")).json()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2", 200),
        ("/v2/health/live", 200),
        ("/v2/health/ready", 200),
        ("/v2/models/demo/ready", 200),
        ("/v2/models/demo/versions/r1/ready", 200),
        ("/ping", 200),
        ("/v2/models/other", 404),
        ("/v2/models/other/ready", 404),
        ("/v2/models/demo/versions/r2", 404),
        ("/nowhere", 404),
        (INFER, 405),
    ],
)
async def test_quiet_paths(served: Endpoint, path: str, expected: int) -> None:
    answer = await served.client.get(path)
    assert answer.status_code == expected
    assert expected == 200 or answer.json()["error"]


async def test_another_model_is_not_found(served: Endpoint) -> None:
    answer = await served.client.post("/v2/models/other/infer", json=v2_body(COLUMNS))
    assert answer.status_code == 404
    assert "'demo'" in answer.json()["error"]


async def test_a_model_that_fails_is_a_fault_without_a_traceback(
    where: Place, digest: str, classifier: LoadedModel, caplog: pytest.LogCaptureFixture
) -> None:
    broken = SklearnModel(classifier.manifest, object())
    async with models.endpoint(where, where.task(digest), broken) as served:
        answer = await served.client.post(INFER, json=v2_body(COLUMNS))
        assert served.serving.stats().stable.errors == 1
    assert answer.status_code == 500
    fault = answer.json()["error"].split()[-1]
    assert "Traceback" not in answer.text
    assert fault in caplog.text
