"""SageMaker's capture layout: what a Model Monitor's reader finds is what was asked and answered."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.store import captures, data_capture
from modelyard_kit.model import Prediction
from modelyard_kit.skops_format import SklearnModel
from modelyard_serving.data_capture import DataCapture
from modelyard_serving.invocations import rows_of_csv
from modelyard_serving.records import CaptureRecord
from modelyard_serving.rows import Rows
from tests.unit.serving_image import models
from tests.unit.serving_image.models import FEATURES, Place, v2_body
from tests.unit.serving_image.test_capture import INFER, ONE, TWO, own, read  # noqa: F401 - a fixture
from tests.unit.serving_image.test_personal import MARKED, SECRET

NOW = datetime(2026, 2, 14, 17, 25, 49, tzinfo=UTC)
PATH = re.compile(r"datacapture/shop/demo/(\w+)/\d{4}/\d\d/\d\d/\d\d/[\w.-]+\.jsonl")


def monitored(where: Place) -> dict[str, pd.DataFrame]:
    """By variant, as a Model Monitor reads it: each event's data by its encoding, output and input side by side."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in where.store.entries(data_capture("shop", "demo")):
        matched = PATH.fullmatch(entry.path)
        assert matched, entry.path
        for line in where.store.get(entry.path).decode().splitlines():
            event = json.loads(line)
            assert event["eventVersion"] == "0"
            UUID(event["eventMetadata"]["eventId"])
            values = {"id": event["eventMetadata"]["inferenceId"]}
            for part, mode in (("endpointOutput", "OUTPUT"), ("endpointInput", "INPUT")):
                data = event["captureData"][part]
                assert (data["mode"], data["encoding"], data["observedContentType"]) == (mode, "CSV", "text/csv")
                (cells,) = csv.reader(io.StringIO(data["data"], newline=""))
                values |= {f"{mode.lower()}{place}": cell for place, cell in enumerate(cells)}
            found.setdefault(matched[1], []).append(values)
    return {variant: pd.DataFrame(rows) for variant, rows in found.items()}


async def test_a_monitor_reads_what_every_protocol_asked_and_drift_checks_read_parquet(own: Place) -> None:  # noqa: F811
    digest = models.publish(own, "classification")
    task = own.task(digest, capture_layout="sagemaker")
    async with models.endpoint(own, task, models.load(own, digest)) as served:
        await served.client.post(INFER, json=v2_body(TWO, id="pair"))
        await served.client.post(
            "/invocations",
            content="3.5,north,1\n",
            headers={"content-type": "text/csv", "x-amzn-sagemaker-inference-id": "single"},
        )
        await served.written()
        assert served.serving.stats().captured == 3
    frame = monitored(own)["stable"]
    assert frame.to_dict("records") == [
        {"id": "pair/0", "output0": "low", "input0": "3.5", "input1": "north", "input2": "1"},
        {"id": "pair/1", "output0": "high", "input0": "30.5", "input1": "", "input2": "2"},
        {"id": "single", "output0": "low", "input0": "3.5", "input1": "north", "input2": "1"},
    ]
    rows = read(own, captures("shop", "demo"))
    assert [(row["inference_id"], row["prediction"]) for row in rows] == list(
        frame[["id", "output0"]].itertuples(index=False, name=None)
    )


async def test_pandas_reads_the_lines_and_nothing_is_written_where_it_is_not_asked_for(own: Place) -> None:  # noqa: F811
    digest = models.publish(own, "classification")
    model = models.load(own, digest)
    async with models.endpoint(own, own.task(digest), model) as served:
        await served.client.post(INFER, json=v2_body(ONE))
    assert list(own.store.entries(data_capture("shop", "demo"))) == []
    async with models.endpoint(own, own.task(digest, capture_layout="sagemaker"), model) as served:
        await served.client.post(INFER, json=v2_body(TWO))
    (entry,) = own.store.entries(data_capture("shop", "demo"))
    table = pd.read_json(io.BytesIO(own.store.get(entry.path)), lines=True)
    assert list(table.columns) == ["captureData", "eventMetadata", "eventVersion"]
    assert len(table) == 2


async def test_personal_values_and_failed_requests_are_not_in_it(own: Place) -> None:  # noqa: F811
    digest = models.publish(own, "classification", MARKED)
    model, task = models.load(own, digest), own.task(digest, capture_layout="sagemaker")
    asked = v2_body({"price": [3.5], "region": [SECRET], "hour": [1]})
    for answering in (model, SklearnModel(model.manifest, object())):
        async with models.endpoint(own, task, answering) as served:
            await served.client.post(INFER, json=asked)
    frame = monitored(own)["stable"]
    assert frame.drop(columns="id").to_dict("records") == [
        {"output0": "low", "input0": "3.5", "input1": "", "input2": "1"}
    ]
    assert len(read(own, captures("shop", "demo"))) == 2


async def test_rows_that_have_no_other_layout_are_still_captured(
    own: Place,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("modelyard_serving.data_capture.row_id", lambda *_: 1 / 0)
    digest = models.publish(own, "classification")
    async with models.endpoint(own, own.task(digest, capture_layout="sagemaker"), models.load(own, digest)) as served:
        await served.client.post(INFER, json=v2_body(ONE))
        await served.written()
        assert (served.serving.stats().captured, served.serving.stats().capture_dropped) == (1, 0)
    assert "cannot be written in the other layout" in caplog.text
    assert len(read(own, captures("shop", "demo"))) == 1


def test_variants_have_folders_of_their_own() -> None:
    rows = Rows(1, ([1.0], ["a"], [2]))
    records = [
        CaptureRecord(NOW + timedelta(minutes=at), 1, f"r{at}", rows, Prediction(["low"]), variant, 200, 1.0)
        for at, variant in enumerate(("stable", "candidate", "stable"))
    ]
    files = dict(DataCapture("p/")("pod-1", records))
    assert list(files) == ["p/candidate/2026/02/14/17/pod-1.jsonl", "p/stable/2026/02/14/17/pod-1.jsonl"]
    events = [json.loads(line) for line in files["p/stable/2026/02/14/17/pod-1.jsonl"].splitlines()]
    assert [event["eventMetadata"]["inferenceTime"] for event in events] == [
        "2026-02-14T17:25:49Z",
        "2026-02-14T17:27:49Z",
    ]


VALUE = st.tuples(
    st.floats(allow_nan=False, allow_infinity=False),
    st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)),
    st.integers(-(2**63), 2**63 - 1),
)


@given(st.lists(VALUE, min_size=1, max_size=5))
def test_what_is_captured_can_be_sent_again_and_is_the_same(given_rows: list[tuple[Any, ...]]) -> None:
    """An input's CSV is one that `/invocations` takes: a monitor may replay it."""
    columns = tuple(list(column) for column in zip(*given_rows, strict=True))
    record = CaptureRecord(
        NOW, 1, "id", Rows(len(given_rows), columns), Prediction(["low"] * len(given_rows)), "stable", 200, 1.0
    )
    ((_, content),) = DataCapture("p/")("n", [record])
    # JSON lines end at line feeds only; text may hold what else Python takes for one.
    data = [json.loads(line)["captureData"]["endpointInput"]["data"] for line in content.split(b"\n")[:-1]]
    assert rows_of_csv(FEATURES, "\n".join(data).encode()).columns == columns
