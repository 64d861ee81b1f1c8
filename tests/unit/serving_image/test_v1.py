"""The V1 protocol: what :predict takes and answers."""

from typing import Any

import pytest

from tests.unit.serving_image.models import Endpoint

PREDICT = "/v1/models/demo:predict"
ROWS: list[dict[str, Any]] = [{"price": 3.5, "region": "north", "hour": 1}, {"price": 30.5, "region": None, "hour": 2}]
LISTS = [[3.5, "north", 1], [30.5, None, 2]]


@pytest.mark.parametrize("instances", [ROWS, LISTS])
async def test_rows_of_both_forms_are_answered_in_their_order(served: Endpoint, instances: list[Any]) -> None:
    answer = await served.client.post(PREDICT, json={"instances": instances})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"predictions": ["low", "high"]}


async def test_the_id_of_the_request_is_echoed_or_made_up(served: Endpoint) -> None:
    named = await served.client.post(PREDICT, json={"instances": ROWS}, headers={"x-request-id": "a-1"})
    assert named.headers["x-request-id"] == "a-1"
    unnamed = await served.client.post(PREDICT, json={"instances": ROWS})
    assert unnamed.headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"inputs": LISTS}, 'the body must be {"instances": [...]}, a list of rows'),
        ([1], 'the body must be {"instances": [...]}, a list of rows'),
        ({"instances": []}, "the request has no rows"),
        ({"instances": [[1.0]]}, "row 0 has 1 values, the model takes 3"),
        ({"instances": [{**ROWS[0], "price": "x"}]}, "column 'price', row 0"),
    ],
)
async def test_a_body_that_does_not_fit_is_told_what_is_wrong(served: Endpoint, body: Any, message: str) -> None:
    answer = await served.client.post(PREDICT, json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


async def test_another_model_method_or_content_type_is_refused(served: Endpoint) -> None:
    assert (await served.client.post("/v1/models/other:predict", json={"instances": ROWS})).status_code == 404
    assert (await served.client.get(PREDICT)).status_code == 405
    assert (await served.client.post(PREDICT, content=b"1", headers={"content-type": "text/csv"})).status_code == 415


async def test_what_is_served_is_listed(served: Endpoint) -> None:
    assert (await served.client.get("/v1/models")).json() == {"models": ["demo"]}
    assert (await served.client.get("/v1/models/demo")).json() == {"name": "demo", "ready": True}
    assert (await served.client.get("/v1/models/other")).status_code == 404
