"""What is captured: every sampled request once, typed as the contract says, whatever the store does meanwhile."""

import io
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from modelyard.contract.capture import FEATURE_PREFIX, LABEL_COLUMNS, META, PREDICTION, SCORE, sampled
from modelyard.contract.store import captures, labels
from modelyard_kit.skops_format import SklearnModel
from modelyard_kit.store import Store, StoreError
from modelyard_serving import spool as spools
from modelyard_serving.records import LabelRecord, label_table
from modelyard_serving.rows import MAX_ROWS
from modelyard_serving.spool import Spool
from tests.unit.serving_image import models
from tests.unit.serving_image.models import Endpoint, Place, v2_body

INFER = "/v2/models/demo/infer"
FEEDBACK = "/v2/models/demo/feedback"
ONE: dict[str, list[Any]] = {"price": [3.5], "region": ["north"], "hour": [1]}
TWO: dict[str, list[Any]] = {"price": [3.5, 30.5], "region": ["north", None], "hour": [1, 2]}


@pytest.fixture
def own(tmp_path: Path) -> Place:
    return models.place(tmp_path)


def read(where: Place, prefix: str) -> list[dict[str, Any]]:
    """All files of a prefix as one data set, as the drift monitor reads them."""
    tables = [pq.read_table(io.BytesIO(where.store.get(entry.path))) for entry in where.store.entries(prefix)]
    found: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist() if tables else []
    return found


async def test_a_request_is_captured_row_by_row_with_the_columns_of_the_contract(own: Place) -> None:
    digest = models.publish(own, "classification")
    async with models.endpoint(own, own.task(digest), models.load(own, digest)) as served:
        await served.client.post(INFER, json=v2_body(TWO, id="pair"))
        await served.client.post(INFER, json=v2_body(ONE, id="single"))
        await served.written()
        assert served.serving.stats().captured == 3
    (entry,) = own.store.entries(captures("shop", "demo"))
    now = datetime.now(UTC)
    assert entry.path.startswith(f"captures/shop/demo/dt={now:%Y-%m-%d}/hh=")
    table = pq.read_table(io.BytesIO(own.store.get(entry.path)))
    features = [FEATURE_PREFIX + name for name in TWO]
    assert table.column_names == [*META, PREDICTION, SCORE, *features]
    assert [str(table.schema.field(name).type) for name in features] == ["double", "string", "int64"]
    rows = table.to_pylist()
    assert [row["inference_id"] for row in rows] == ["pair/0", "pair/1", "single"]
    assert [row[PREDICTION] for row in rows] == ["low", "high", "low"]
    assert [row["f:region"] for row in rows] == ["north", None, "north"]
    assert {(row["revision"], row["variant"], row["status"], row["model_digest"]) for row in rows} == {
        ("r1", "stable", 200, digest)
    }
    assert all(row[SCORE] == 1.0 and row["latency_ms"] > 0 for row in rows)
    assert all(now - row["time"] < timedelta(minutes=1) for row in rows)


async def test_files_of_failures_and_successes_have_one_schema(own: Place) -> None:
    digest = models.publish(own, "regression")
    good = models.load(own, digest)
    for model in (good, SklearnModel(good.manifest, object())):
        async with models.endpoint(own, own.task(digest), model) as served:
            await served.client.post(INFER, json=v2_body(ONE))
    files = [f"{own.folder}/store/{entry.path}" for entry in own.store.entries(captures("shop", "demo"))]
    rows = ds.dataset(files).to_table().sort_by("status").to_pylist()
    assert [(row["status"], row[PREDICTION], row[SCORE]) for row in rows] == [
        (200, pytest.approx(8.0), None),
        (500, None, None),
    ]


async def test_the_share_that_is_captured_is_chosen_by_the_id(own: Place) -> None:
    digest = models.publish(own, "classification")
    ids = [f"call-{number}" for number in range(50)]
    async with models.endpoint(own, own.task(digest, capture_percent=30), models.load(own, digest)) as served:
        for identity in ids:
            await served.client.post(INFER, json=v2_body(ONE, id=identity))
    kept = {row["inference_id"] for row in read(own, captures("shop", "demo"))}
    assert kept == {identity for identity in ids if sampled(identity, 30)}
    assert 0 < len(kept) < 50


async def test_labels_come_back_in_every_form(own: Place) -> None:
    digest = models.publish(own, "classification")
    forms: list[dict[str, Any]] = [
        {"inference_id": "a", "label": "low"},
        {"inference_id": "b", "labels": ["low", "high"]},
        {"labels": [{"inference_id": "c", "label": 1}, {"inference_id": "d/0", "label": True}]},
    ]
    async with models.endpoint(own, own.task(digest), models.load(own, digest)) as served:
        answers = [await served.client.post(FEEDBACK, json=form) for form in forms]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (202, {"accepted": 1}),
        (202, {"accepted": 2}),
        (202, {"accepted": 2}),
    ]
    rows = read(own, labels("shop", "demo"))
    assert tuple(rows[0]) == LABEL_COLUMNS
    assert [(row["inference_id"], row["label"]) for row in rows] == [
        ("a", "low"),
        ("b/0", "low"),
        ("b/1", "high"),
        ("c", "1"),
        ("d/0", "true"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "JSON object"),
        ({}, "inference_id and label"),
        ({"inference_id": "a"}, "inference_id and label"),
        ({"inference_id": 7, "label": "low"}, "inference_id must be"),
        ({"inference_id": "a", "label": None}, "label of 'a'"),
        ({"inference_id": "a", "label": {}}, "label of 'a'"),
        ({"labels": []}, "at least one"),
        ({"labels": [{"inference_id": "a", "label": 1}, {"label": 1}]}, "labels[1] needs"),
    ],
)
async def test_wrong_feedback_is_refused_in_words(served: Endpoint, content: Any, words: str) -> None:
    answer = await served.client.post(FEEDBACK, json=content)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


async def test_more_labels_than_a_request_may_have_rows_are_refused(served: Endpoint) -> None:
    for more in ({"inference_id": "a"}, {}):
        answer = await served.client.post(FEEDBACK, json={"labels": [1] * (MAX_ROWS + 1), **more})
        assert (answer.status_code, "100,000" in answer.text) == (413, True)


class Flaky(Store):
    """A store of local files that is away for its first `failures` writes."""

    failures = 0

    def put(self, path: str, data: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("away")
        super().put(path, data)


def label(at: datetime, identity: str = "a", count: int = 1) -> LabelRecord:
    return LabelRecord(at, identity, "low", count=count)


def spool(where: Place, failures: int = 0, seconds: float = 60) -> Spool[LabelRecord]:
    store = Flaky(where.store.config)
    store.failures = failures
    return Spool(store, "labels/shop/demo/", "pod-1", seconds, label_table)


def test_rows_of_two_hours_lie_in_two_folders(own: Place) -> None:
    written = spool(own)
    written.add([label(datetime(2024, 5, 1, 23, 59, 59, tzinfo=UTC)), label(datetime(2024, 5, 2, tzinfo=UTC))])
    assert written.close(5)
    folders = sorted(entry.path.rpartition("/")[0] for entry in own.store.entries("labels/"))
    assert folders == ["labels/shop/demo/dt=2024-05-01/hh=23", "labels/shop/demo/dt=2024-05-02/hh=00"]


def test_a_store_that_comes_back_gets_every_row_once(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "BACKOFF_SECONDS", (0.01,))
    written = spool(own, failures=3)
    written.add([label(datetime.now(UTC), f"id-{number}") for number in range(5)])
    assert written.close(5)
    assert (written.written, written.dropped, written.buffered) == (5, 0, 0)
    assert len(read(own, "labels/")) == 5


def test_a_store_that_stays_away_costs_the_rows_and_says_how_many(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "BACKOFF_SECONDS", (0.01,))
    written = spool(own, failures=10**9)
    written.add([label(datetime.now(UTC)) for _ in range(5)])
    assert not written.close(0.2)
    assert (written.written, written.dropped) == (0, 5)


def test_a_full_buffer_drops_and_counts_and_never_waits(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "MAX_ROWS", 10)
    written = spool(own)
    now = datetime.now(UTC)
    assert written.add([label(now)] * 8)
    assert not written.add([label(now)] * 3)
    assert written.add([label(now)] * 2)
    assert written.close(5)
    assert (written.written, written.dropped) == (10, 3)


def test_what_is_larger_than_the_buffer_is_taken_alone(own: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "MAX_ROWS", 10)
    written = spool(own)
    now = datetime.now(UTC)
    assert written.add([label(now)] * 11)
    assert not written.add([label(now)])
    assert written.close(5)
    assert (written.written, written.dropped) == (11, 1)


async def test_all_rows_that_one_request_may_have_are_captured(own: Place) -> None:
    digest = models.publish(own, "classification")
    count = spools.MAX_ROWS + 1
    columns: dict[str, list[Any]] = {"price": [3.5] * count, "region": ["north"] * count, "hour": [1] * count}
    async with models.endpoint(own, own.task(digest), models.load(own, digest)) as served:
        assert (await served.client.post(INFER, json=v2_body(columns))).status_code == 200
        await served.written()
        stats = served.serving.stats()
    assert (stats.captured, stats.capture_dropped) == (count, 0)


@pytest.mark.parametrize(("seconds", "rows"), [(0.05, 1), (60, 3)])
def test_rows_are_written_after_the_interval_or_when_there_are_enough(
    own: Place, monkeypatch: pytest.MonkeyPatch, seconds: float, rows: int
) -> None:
    monkeypatch.setattr(spools, "FLUSH_ROWS", 3)
    written = spool(own, seconds=seconds)
    written.add([label(datetime.now(UTC))] * rows)
    deadline = time.monotonic() + 5
    while written.written < rows and time.monotonic() < deadline:
        time.sleep(0.01)
    assert written.written == rows
    assert written.close(5)


def test_rows_that_cannot_be_encoded_are_dropped_and_the_next_ones_written(own: Place) -> None:
    def encode(records: Sequence[LabelRecord]) -> pa.Table:
        if records[0].label == "bad":
            raise ValueError("bad")
        return label_table(records)

    written: Spool[LabelRecord] = Spool(own.store, "labels/shop/demo/", "pod-1", 60, encode)
    written.add([LabelRecord(datetime(2024, 5, 1, tzinfo=UTC), "a", "bad")])
    written.add([LabelRecord(datetime(2024, 5, 2, tzinfo=UTC), "b", "low")])
    assert written.close(5)
    assert (written.written, written.dropped) == (1, 1)
