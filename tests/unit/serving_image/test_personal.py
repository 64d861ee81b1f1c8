"""What the Dataset marks as personal is in no captured row, no message and no line of the log."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.contract.capture import FEATURE_PREFIX
from modelyard.contract.manifest import Column
from modelyard.contract.store import captures
from modelyard_kit.skops_format import SklearnModel
from modelyard_serving.records import CaptureRecord, capture_schema, capture_table, personal
from modelyard_serving.rows import Rows
from modelyard_serving.spool import parquet
from modelyard_training.publish import _profile
from modelyard_training.splits import Splits
from tests.unit.kit.frames import table_of
from tests.unit.kit.manifests import bare_manifest
from tests.unit.serving_image import models
from tests.unit.serving_image.models import FEATURES, ROWS, Place, v2_body
from tests.unit.serving_image.test_capture import INFER, own, read  # noqa: F401 - a fixture

SECRET = "alice@example.com"
MARKED = [column.model_copy(update={"pii": True}) if column.name == "region" else column for column in FEATURES]
ROW: dict[str, list[Any]] = {"price": [3.5, 30.5], "region": [SECRET, "north"], "hour": [1, 2]}


class Repeating:
    """Fails as scikit-learn does: with the value in its words."""

    def predict(self, frame: Any) -> Any:
        raise ValueError(f"could not convert string to float: {frame['region'].iloc[0]!r}")


def files(where: Place) -> bytes:
    return b"".join(path.read_bytes() for path in Path(f"{where.folder}/store/captures").rglob("*") if path.is_file())


async def test_captured_rows_have_null_for_a_personal_feature_and_all_else(own: Place) -> None:  # noqa: F811
    digest = models.publish(own, "classification", MARKED)
    async with models.endpoint(own, own.task(digest), models.load(own, digest)) as served:
        answer = await served.client.post(INFER, json=v2_body(ROW, id="pair"))
        plain = await served.client.post("/invocations", json={"instances": [[3.5, SECRET, 1]]})
    assert (answer.status_code, plain.status_code) == (200, 200)
    rows = read(own, captures("shop", "demo"))
    assert [row["f:region"] for row in rows] == [None] * 3
    assert [(row["f:price"], row["f:hour"], row["prediction"]) for row in rows] == [
        (3.5, 1, "low"),
        (30.5, 2, "high"),
        (3.5, 1, "low"),
    ]
    assert SECRET.encode() not in files(own)


@pytest.mark.parametrize("marked", [True, False])
async def test_a_failure_of_the_model_is_logged_by_its_place_and_without_its_words(
    own: Place,  # noqa: F811
    marked: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    digest = models.publish(own, "classification", MARKED if marked else FEATURES)
    model = SklearnModel(models.load(own, digest).manifest, Repeating())
    with caplog.at_level(logging.INFO):
        async with models.endpoint(own, own.task(digest), model) as served:
            for path, body in ((INFER, v2_body(ROW)), ("/invocations", {"instances": [[3.5, SECRET, 1]]})):
                answer = await served.client.post(path, json=body)
                assert answer.status_code == 500
                assert SECRET not in answer.text
    assert "ValueError" in caplog.text
    assert "in predict" in caplog.text
    assert (SECRET in caplog.text) is not marked
    assert (SECRET.encode() in files(own)) is not marked


async def test_a_failure_of_an_explanation_is_logged_without_its_words(
    own: Place,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    digest = models.publish(own, "classification", MARKED)
    model = SklearnModel(models.load(own, digest).manifest, Repeating())
    with caplog.at_level(logging.INFO):
        async with models.endpoint(own, own.task(digest), model) as served:
            answer = await served.client.post("/explain", json={"instances": [[3.5, SECRET, 1]]})
    assert answer.status_code == 500
    assert "ValueError" in caplog.text
    assert SECRET not in caplog.text


async def test_a_model_with_a_personal_column_says_why_it_is_not_explained(own: Place) -> None:  # noqa: F811
    digest = models.publish(own, "classification", MARKED)
    model = models.load(own, digest)
    table = table_of(ROWS, MARKED)
    label = Column(name="level", type="string", role="label")
    splits = Splits(MARKED, label, table, table.slice(0, 0), table, "the test split")
    manifest = model.manifest.model_copy(update={"profile_digest": _profile(own.store, model, splits)})
    async with models.endpoint(own, own.task(digest), replace(model, manifest=manifest)) as served:
        answer = await served.client.post("/explain", json={"instances": [[3.5, SECRET, 1]]})
    assert answer.status_code == 501
    assert "'region' is not in the sample of the model's training data" in answer.json()["error"]


@pytest.mark.parametrize("marked", [True, False])
async def test_a_value_of_the_wrong_type_is_not_repeated(own: Place, marked: bool) -> None:  # noqa: F811
    features = [FEATURES[0], Column(name="born", type="date", pii=True if marked else None), FEATURES[2]]
    digest = models.publish(own, "regression", [FEATURES[0], FEATURES[2]])
    model = models.load(own, digest)
    manifest = model.manifest.model_copy(update={"features": features})
    async with models.endpoint(own, own.task(digest), SklearnModel(manifest, object())) as served:
        answer = await served.client.post("/invocations", json={"instances": [[3.5, "12 May 1980", 1]]})
    assert answer.status_code == 400
    assert "'born', row 0: expected a date" in answer.text
    assert ("1980" in answer.text) is not marked


@given(st.lists(st.text(st.characters(codec="ascii", min_codepoint=33), min_size=12), min_size=1, max_size=5))
def test_no_text_of_a_personal_column_gets_into_a_file(texts: list[str]) -> None:
    count = len(texts)
    rows = Rows(count, ([1.0] * count, list(texts), [1] * count))
    manifest = bare_manifest(MARKED)
    record = CaptureRecord(datetime.now(UTC), 10, "id", rows, None, "stable", 500, 1.0)
    table = capture_table([record], capture_schema(manifest), "r1", "sha256:0", personal(manifest))
    assert table[f"{FEATURE_PREFIX}region"].null_count == count
    content = parquet(table)
    assert not any(text.encode() in content for text in texts)
