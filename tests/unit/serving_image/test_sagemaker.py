"""What SageMaker asks a container besides predictions, and what boto3 asks an endpoint."""

from tests.unit.serving_image.models import Endpoint

ROWS = "5,north,3\n"
FORM = {"content-type": "text/csv", "accept": "text/csv"}


async def test_a_batch_transform_is_told_what_it_may_send(served: Endpoint) -> None:
    asked = (await served.client.get("/execution-parameters")).json()
    assert asked == {"MaxConcurrentTransforms": 8, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


async def test_the_one_model_is_listed_and_invoked_by_the_calls_of_multi_model_endpoints(served: Endpoint) -> None:
    entry = {"modelName": "demo", "modelUrl": served.serving.task.model_digest}
    assert (await served.client.get("/models")).json() == {"models": [entry]}
    assert (await served.client.get("/models/demo")).json() == entry
    assert (await served.client.get("/models/other")).status_code == 404
    assert (await served.client.post("/models/demo/invoke", content=ROWS, headers=FORM)).text == "low\n"
    assert (await served.client.post("/models/other/invoke", content=ROWS, headers=FORM)).status_code == 404


async def test_a_model_that_is_loaded_is_a_conflict_and_for_another_there_is_no_room(served: Endpoint) -> None:
    for name, status in (("demo", 409), ("other", 507)):
        body = {"model_name": name, "url": "/opt/ml/models/x/model"}
        assert (await served.client.post("/models", json=body)).status_code == status
    assert (await served.client.post("/models", json=[])).status_code == 400


async def test_an_endpoint_is_invoked_by_its_name_and_answers_to_no_other(served: Endpoint) -> None:
    answer = await served.client.post("/endpoints/demo/invocations", content=ROWS, headers=FORM)
    assert (answer.text, answer.headers["x-amzn-invoked-production-variant"]) == ("low\n", "r1")
    assert (await served.client.post("/endpoints/other/invocations", content=ROWS, headers=FORM)).status_code == 404
