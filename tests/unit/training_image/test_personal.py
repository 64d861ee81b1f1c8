"""A model of personal features: nothing that is published beside it repeats them."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import Column, ModelManifest
from modelyard_kit.model import load_manifest, load_model
from modelyard_kit.profile import load_profile
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from modelyard_training.train import train
from tests.unit.kit.frames import table_of
from tests.unit.training_image.conftest import Publish
from tests.unit.training_image.data import COLUMNS, rows


def trained(publish: Publish, store: Store, *, nullable: bool) -> ModelManifest:
    columns = [
        column.model_copy(update={"pii": True, "nullable": nullable}) if column.name == "plan" else column
        for column in COLUMNS
    ]
    given = {"train": rows(400, 1), "test": rows(200, 3)}
    known = {name: {**split, "plan": [plan or "basic" for plan in split["plan"]]} for name, split in given.items()}
    result = train(publish(columns, known), Reporter(CollectorRegistry()))
    return load_manifest(store, "ns", "churn", result.model_digest)


@pytest.mark.parametrize(("nullable", "shown"), [(True, None), (False, "redacted")])
def test_examples_and_profile_leave_personal_values_out_and_answers_are_of_what_is_left(
    publish: Publish, store: Store, tmp_path: Path, nullable: bool, shown: str | None
) -> None:
    manifest = trained(publish, store, nullable=nullable)
    assert manifest.example["plan"] == [shown] * 3
    assert [column.name for column in manifest.features if column.pii] == ["plan"]
    assert len(manifest.answers) == 3
    assert "plan" not in [column.name for column in load_profile(store, manifest.profile_digest).columns]
    model = load_model(store, "ns", "churn", digest_of(manifest.wire()), tmp_path)
    assert model.predict(table_of(manifest.example, manifest.features)).values == manifest.answers


def test_nothing_changes_for_columns_without_a_mark() -> None:
    assert "pii" not in Column(name="x", type="int64").wire()
