"""V2 over gRPC: a real server and a real client on the loopback; answers are those of HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.store import captures
from modelyard_kit.model import LoadedModel
from modelyard_kit.skops_format import SklearnModel
from modelyard_serving import inference_pb2 as pb
from modelyard_serving import messages
from modelyard_serving.binary import encoded
from modelyard_serving.errors import RequestError
from modelyard_serving.http import MAX_BODY
from tests.unit.serving_image import models
from tests.unit.serving_image.calls import Calls, calling, connected, listening, request, values
from tests.unit.serving_image.models import Endpoint, Place, Service, v2_body
from tests.unit.serving_image.test_capture import read
from tests.unit.serving_image.test_patience import Stuck, begun
from tests.unit.serving_image.test_split import ALL, Broken, canary

INFER = "/v2/models/demo/infer"
ROWS: dict[str, list[Any]] = {"price": [3.5, 30.5], "region": ["north", "süd"], "hour": [1, 2]}
ONE = {name: column[:1] for name, column in ROWS.items()}
EVERY = [{"name": name} for name in ("predict", "probability", "predict_proba")]


@pytest_asyncio.fixture
async def calls(served: Endpoint) -> AsyncIterator[Calls]:
    async with calling(served.serving) as found:
        yield found


async def refused(calls: Calls, message: Any, seconds: float | None = 10.0) -> tuple[grpc.StatusCode, str]:
    """Code and details of a ModelInfer that is answered with an error."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await calls.infer(message, seconds)
    return caught.value.code(), str(caught.value.details())


@pytest.mark.parametrize("in_bytes", [True, False])
@pytest.mark.parametrize("outputs", [[], EVERY, EVERY[2:]])
async def test_the_answer_is_that_of_http_in_the_form_of_the_request(
    served: Endpoint, calls: Calls, in_bytes: bool, outputs: list[dict[str, str]]
) -> None:
    answer = await calls.infer(request(ROWS, in_bytes, id="mine", outputs=outputs))
    http = (await served.client.post(INFER, json=v2_body(ROWS, id="mine", outputs=outputs))).json()
    assert (answer.model_name, answer.model_version, answer.id) == ("demo", "r1", "mine")
    assert bool(answer.raw_output_contents) is in_bytes
    described = [(output.name, output.datatype, list(output.shape)) for output in answer.outputs]
    assert described == [(output["name"], output["datatype"], output["shape"]) for output in http["outputs"]]
    assert values(answer) == {output["name"]: output["data"] for output in http["outputs"]}


async def test_a_request_may_have_some_tensors_in_bytes(calls: Calls) -> None:
    message = request(ROWS)
    message.inputs[0].ClearField("contents")
    message.raw_input_contents.append(encoded("FP64", ROWS["price"]))
    assert values(await calls.infer(message))["predict"] == ["low", "high"]


async def test_an_id_is_made_up_where_there_is_none(calls: Calls) -> None:
    first, second = [(await calls.infer(request(ONE))).id for _ in range(2)]
    assert len(first) == 32
    assert first != second


async def test_requests_are_captured_and_counted_as_those_of_http(served: Endpoint, calls: Calls, where: Place) -> None:
    await calls.infer(request(ROWS, id="by-grpc"))
    await refused(calls, request({}))
    metrics = (await served.client.get("/metrics")).text
    assert 'modelyard_inference_requests_total{code="200",protocol="grpc"} 1.0' in metrics
    assert 'modelyard_inference_requests_total{code="400",protocol="grpc"} 1.0' in metrics
    assert (served.serving.stats().stable.requests, served.serving.in_flight) == (1, 0)
    await served.written()
    rows = [row for row in read(where, captures("shop", "demo")) if row["inference_id"].startswith("by-grpc")]
    assert sorted((row["inference_id"], row["prediction"]) for row in rows) == [
        ("by-grpc/0", "low"),
        ("by-grpc/1", "high"),
    ]


async def test_the_quiet_calls_tell_what_http_tells(served: Endpoint, calls: Calls) -> None:
    told = (await served.client.get("/v2/models/demo")).json()
    found = await calls.ask("ModelMetadata", pb.ModelMetadataRequest(name="demo"))
    assert (found.name, list(found.versions), found.platform) == (told["name"], told["versions"], told["platform"])
    for ours, theirs in ((found.inputs, told["inputs"]), (found.outputs, told["outputs"])):
        assert [{"name": t.name, "datatype": t.datatype, "shape": list(t.shape)} for t in ours] == theirs
    server = await calls.ask("ServerMetadata")
    assert (server.name, server.version) == ("modelyard", "r1")
    assert (await calls.ask("ServerLive")).live
    assert (await calls.ask("ServerReady")).ready
    assert (await calls.ask("ModelReady", pb.ModelReadyRequest(name="demo", version="r1"))).ready


INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (request(ROWS, model_name="other"), NOT_FOUND, "model 'other' is not served here"),
        (request(ROWS, model_version="r9"), NOT_FOUND, "version 'r9' is not served here"),
        (request({"price": [1.0]}), INVALID, "column 'region' is missing"),
        (request({}), INVALID, "inputs is missing"),
        (request({**ROWS, "hour": [1]}), INVALID, "column 'hour' has 1 rows"),
        (request(ROWS, outputs=[{"name": "x"}]), INVALID, "output 'x' is not known"),
        (request(ROWS, id="x" * 201), INVALID, "the inference id"),
        (request(ROWS, parameters={"timeout": -1}), INVALID, "microseconds"),
        (request(ROWS, raw_input_contents=[b"12345678"]), INVALID, "1 of 1 raw contents belong to no tensor"),
        (pb.ModelInferRequest(model_name="demo", inputs=[{"name": "x" * 5000}]), INVALID, "tensor 'xxx"),
        (pb.ModelInferRequest(model_name="demo", inputs=[{"name": "🙂" * 5000}]), INVALID, "tensor '🙂🙂"),
        (b"\xff", INVALID, "the message is no ModelInferRequest"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    calls: Calls, message: Any, code: grpc.StatusCode, text: str
) -> None:
    told, details = await refused(calls, message)
    assert told is code
    assert text in details


async def test_bytes_that_do_not_fit_are_told_by_tensor(calls: Calls) -> None:
    message = request(ROWS, in_bytes=True)
    message.raw_input_contents[1] = b"\x01\0\0\0\xff\x00\0\0\0"
    assert "tensor 'region', element 0" in (await refused(calls, message))[1]
    del message.raw_input_contents[2]
    message.raw_input_contents[1] = encoded("BYTES", ROWS["region"])
    assert "tensor 'hour' has 0 values, its shape [2] needs 2" in (await refused(calls, message))[1]


async def test_a_message_that_is_too_large_is_told_so_and_counted(served: Endpoint, calls: Calls) -> None:
    code, details = await refused(calls, request({**ROWS, "region": ["x" * MAX_BODY, ""]}))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert f"larger than {MAX_BODY} bytes" in details
    counted = 'modelyard_inference_requests_total{code="413",protocol="grpc"} 1.0'
    assert counted in (await served.client.get("/metrics")).text


async def test_a_message_far_too_large_is_not_even_taken_in(calls: Calls) -> None:
    code, details = await refused(calls, request({**ROWS, "region": ["x" * (MAX_BODY * 3 // 2), ""]}))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert str(MAX_BODY + MAX_BODY // 3) in details


async def test_more_rows_than_may_be_are_told_so(calls: Calls) -> None:
    code, details = await refused(calls, request({"price": [1.0] * 100_001}))
    assert (code, "100,000" in details) == (grpc.StatusCode.RESOURCE_EXHAUSTED, True)


async def test_what_is_packed_is_not_unpacked(served: Endpoint) -> None:
    async with calling(served.serving, compression=grpc.Compression.Gzip) as calls:
        code, _ = await refused(calls, request({**ROWS, "region": ["x" * 100_000, ""]}))
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def test_more_calls_than_the_limit_are_told_to_come_back(served: Endpoint, calls: Calls) -> None:
    served.serving.in_flight = 128
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await calls.infer(request(ONE))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ("grpc-retry-pushback-ms", "1000") in list(caught.value.trailing_metadata())
    served.serving.in_flight = 0
    assert values(await calls.infer(request(ONE)))["predict"] == ["low"]


async def test_a_model_that_fails_shows_no_traceback(
    where: Place, digest: str, classifier: LoadedModel, caplog: pytest.LogCaptureFixture
) -> None:
    model = SklearnModel(classifier.manifest, Broken())
    async with models.endpoint(where, where.task(digest), model) as served, calling(served.serving) as calls:
        code, details = await refused(calls, request(ONE))
        assert served.serving.stats().stable.errors == 1
    assert code is grpc.StatusCode.INTERNAL
    assert details.startswith("the model failed on this request: the server's log has the cause under fault ")
    assert details.split()[-1] in caplog.text
    assert "Traceback" not in details


@pytest_asyncio.fixture
async def slow(where: Place, digest: str, classifier: LoadedModel) -> AsyncIterator[tuple[Endpoint, Calls, Stuck]]:
    """A server whose model hangs until it is let go, with a request of HTTP in it."""
    stuck = Stuck()
    async with (
        models.endpoint(where, where.task(digest), SklearnModel(classifier.manifest, stuck)) as served,
        calling(served.serving) as calls,
    ):
        assert served.serving.loaded
        learned = served.serving.loaded.predictor._batcher._learned
        learned.took(1.0, 1)  # slow: it runs in its thread
        await calls.infer(request(ONE))
        learned.took(1.0, 1)
        first = asyncio.create_task(served.client.post(INFER, json=v2_body(ONE)))
        await begun(stuck)
        yield served, calls, stuck
        stuck.go.set()
        assert (await first).status_code == 200


def waiting(served: Endpoint) -> list[bool]:
    """Of the requests that wait for the model: whether nobody waits for it any more."""
    assert served.serving.loaded
    return [one.receiver.cancelled() for one in served.serving.loaded.predictor._batcher._waiting]


async def until_waiting(served: Endpoint, wanted: list[bool]) -> None:
    async with asyncio.timeout(5):
        while waiting(served) != wanted:  # noqa: ASYNC110 - it offers no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("seconds", "parameters"), [(1.0, {}), (None, {"timeout": 100_000})])
async def test_a_call_that_waits_too_long_is_told_so_and_is_not_asked(
    slow: tuple[Endpoint, Calls, Stuck], seconds: float | None, parameters: dict[str, int]
) -> None:
    served, calls, stuck = slow
    code, _ = await refused(calls, request(ONE, parameters=parameters), seconds)
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    await until_waiting(served, [True])
    assert stuck.asked == [1, 1]


async def test_what_a_caller_that_has_left_waits_for_is_not_asked(slow: tuple[Endpoint, Calls, Stuck]) -> None:
    served, calls, stuck = slow
    call = asyncio.create_task(calls.infer(request(ONE)))
    await until_waiting(served, [False])
    call.cancel()
    await until_waiting(served, [True])
    async with asyncio.timeout(5):
        while served.serving.in_flight != 1:  # noqa: ASYNC110 - it offers no event
            await asyncio.sleep(0.01)
    assert stuck.asked == [1, 1]


async def test_calls_are_batched_with_requests_of_http(slow: tuple[Endpoint, Calls, Stuck]) -> None:
    served, calls, stuck = slow
    both = asyncio.gather(calls.infer(request(ONE)), served.client.post(INFER, json=v2_body(ROWS)))
    await until_waiting(served, [False, False])
    stuck.go.set()
    answer, http = await both
    assert (values(answer)["predict"], http.json()["outputs"][0]["data"]) == (["high"], ["high", "high"])
    assert stuck.asked == [1, 1, 3]


async def until_refused(port: int) -> None:
    with suppress(ConnectionRefusedError):
        while True:
            socket.create_connection(("127.0.0.1", port)).close()
            await asyncio.sleep(0.01)


async def test_a_server_that_stops_finishes_what_is_in_work_and_takes_nothing_more(
    slow: tuple[Endpoint, Calls, Stuck],
) -> None:
    served, _, stuck = slow
    async with listening(served.serving) as (port, server), connected(port) as calls:
        call = asyncio.create_task(calls.infer(request(ONE)))
        await until_waiting(served, [False])
        stopping = asyncio.ensure_future(server.stop(5))
        async with asyncio.timeout(5):
            await calls.channel.wait_for_state_change(grpc.ChannelConnectivity.READY)  # until it is told to go away
            await until_refused(port)
        code, _ = await refused(calls, request(ONE))
        assert code is grpc.StatusCode.UNAVAILABLE
        stuck.go.set()
        assert values(await call)["predict"] == ["high"]
        await asyncio.wait_for(stopping, 3)


@pytest.mark.parametrize("in_bytes", [True, False])
async def test_the_candidate_answers_its_share_and_both_opinions_are_counted(tmp_path: Path, in_bytes: bool) -> None:
    async with canary(tmp_path) as both, calling(both.stable.serving) as calls:
        both.stable.serving.route(ALL)
        answer = await calls.infer(request(ROWS, in_bytes, id="a", outputs=EVERY))
        pinned = await calls.infer(request(ROWS, in_bytes, id="b", model_version="r1"))
        stats = both.stable.serving.stats()
        captured = await both.captured()
    assert (answer.id, answer.model_version, pinned.model_version) == ("a", "r2", "r1")
    assert bool(answer.raw_output_contents) is in_bytes
    assert values(answer)["predict"] == ["high", "low"]
    assert list(values(answer)) == [output["name"] for output in EVERY]
    assert (stats.candidate.requests, stats.candidate.errors, stats.compared, stats.disagreed) == (1, 0, 2, 2)
    assert captured == [
        ("a/0", "candidate", "high"),
        ("a/1", "candidate", "low"),
        ("b/0", "stable", "low"),
        ("b/1", "stable", "high"),
    ]


async def test_an_id_that_the_server_chose_is_the_same_on_both_sides(tmp_path: Path) -> None:
    async with canary(tmp_path) as both, calling(both.stable.serving) as calls:
        both.stable.serving.route(ALL)
        answer = await calls.infer(request(ONE))
        assert [identity for identity, _, _ in await both.captured()] == [answer.id]


async def test_a_candidate_that_fails_is_counted_and_the_user_sees_the_stable_answer(tmp_path: Path) -> None:
    async with canary(tmp_path, estimator=Broken()) as both, calling(both.stable.serving) as calls:
        both.stable.serving.route(ALL)
        answer = await calls.infer(request(ROWS))
        stats = both.stable.serving.stats()
    assert answer.model_version == "r1"
    assert (stats.candidate.requests, stats.candidate.errors, stats.compared) == (1, 1, 0)


async def test_a_candidate_that_hangs_is_counted_before_the_callers_deadline(
    where: Place, digest: str, classifier: LoadedModel
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = Service(silent.getsockname()[1])
        async with (
            models.endpoint(where, where.task(digest), classifier, service, patience=60) as stable,
            calling(stable.serving) as calls,
        ):
            stable.serving.route(ALL)
            answer = await calls.infer(request(ROWS), seconds=5)
            stats = stable.serving.stats()
    assert answer.model_version == "r1"
    assert (stats.candidate.requests, stats.candidate.errors) == (1, 1)


VALUES = st.one_of(
    st.tuples(st.just("FP64"), st.lists(st.floats(allow_nan=False), max_size=5)),
    st.tuples(st.just("INT16"), st.lists(st.integers(-(2**15), 2**15 - 1), max_size=5)),
    st.tuples(st.just("UINT64"), st.lists(st.integers(0, 2**64 - 1), max_size=5)),
    st.tuples(st.just("BOOL"), st.lists(st.booleans(), max_size=5)),
    st.tuples(st.just("BYTES"), st.lists(st.text(), max_size=5)),
)


@given(st.booleans(), st.lists(VALUES, max_size=4))
def test_tensors_come_back_as_they_were_in_either_form(in_bytes: bool, tensors: list[tuple[str, list[Any]]]) -> None:
    outputs = [
        {"name": str(place), "datatype": kind, "shape": [len(data)], "data": data}
        for place, (kind, data) in enumerate(tensors)
    ]
    written = messages._write(in_bytes, {"model_name": "m", "model_version": "r", "id": "i"}, outputs)
    message = pb.ModelInferResponse.FromString(written.body)
    assert messages._tensors(message.outputs, message.raw_output_contents) == outputs


@given(st.binary(max_size=60))
def test_any_message_is_read_or_refused(content: bytes) -> None:
    status = 200
    try:
        message = messages.parse(content)
        messages._tensors(message.inputs, message.raw_input_contents)
    except RequestError as error:
        status = error.status
    assert status in (200, 400)
