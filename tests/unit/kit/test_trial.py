"""Training and gate load the files of XGBoost and LightGBM as a server does: a crash ends a child."""

import os
from pathlib import Path
from typing import Any

import pytest

from modelyard.contract.document import digest_of
from modelyard.contract.manifest import ModelFormat, ModelManifest
from modelyard.contract.reasons import Reason
from modelyard.contract.store import model_manifest
from modelyard_kit.failure import TaskFailure, UserFailure
from modelyard_kit.model import load_model, publish_file
from modelyard_kit.trial import tried
from modelyard_kit.xgboost_json import in_binary
from modelyard_training.artifact import load_artifact
from tests.unit.serving_image import models
from tests.unit.serving_image.damaging import endings, flipped
from tests.unit.serving_image.models import NUMERIC, Place

pytestmark = pytest.mark.timeout(180)


def crashing(path: Path, manifest: ModelManifest) -> bytes:
    """The first copy with one wrong bit that kills the process which opens it."""
    whole = path.read_bytes()
    for first in range(0, 400, 40):
        wrong = [flipped(whole, seed) for seed in range(first, first + 40)]
        for copy, ending in zip(wrong, endings(path, manifest, wrong), strict=True):
            path.write_bytes(copy)
            if ending.startswith("SIG") and _ended(path, manifest).startswith("a process that loads"):
                return copy
        path.write_bytes(whole)
    raise AssertionError("no copy crashes the parser any more")


def _ended(path: Path, manifest: ModelManifest) -> str:
    """By opening alone, as training and gate do; the copy may also crash by being asked."""
    try:
        tried("modelyard_kit.trial", path, manifest.canonical())
    except TaskFailure as failure:
        return failure.message
    return ""


@pytest.fixture
def own(tmp_path: Path) -> Place:
    return models.place(tmp_path)


@pytest.mark.parametrize("form", ["lightgbm", "xgboost"])
def test_training_and_gate_name_a_file_that_crashes_the_parser(own: Place, tmp_path: Path, form: ModelFormat) -> None:
    manifest, path = models.fetched(own, models.publish(own, "classification", NUMERIC, form=form))
    copy = crashing(path, manifest)
    left = tmp_path / "left"
    left.mkdir()
    (left / path.name).write_bytes(copy)
    with pytest.raises(UserFailure, match=rf"a process that loads {path.name} and asks it is ended by SIG") as caught:
        load_artifact(left).opened(manifest)
    assert caught.value.reason == Reason.UNSAFE_MODEL
    damaged = manifest.model_copy(update={"files": [publish_file(own.store, left / path.name)]})
    digest = digest_of(damaged.wire())
    own.store.put_manifest(model_manifest("shop", "demo-job", digest), damaged)
    with pytest.raises(UserFailure, match="is ended by SIG"):
        load_model(own.store, "shop", "demo-job", digest, tmp_path / "gate")


def test_json_is_converted_and_what_is_no_model_is_named(own: Place, tmp_path: Path) -> None:
    import xgboost

    path = models.boosted("xgboost", "classification", NUMERIC, tmp_path)
    booster = xgboost.Booster(model_file=path)
    booster.save_model(tmp_path / "model.json")
    path.unlink()
    found: Any = xgboost.Booster(model_file=in_binary(tmp_path / "model.json"))
    assert found.get_dump() == booster.get_dump()
    (tmp_path / "model.json").write_text('{"learner": 1}')
    with pytest.raises(TaskFailure, match=r"model\.json cannot be read by XGBoost") as caught:
        in_binary(tmp_path / "model.json")
    assert caught.value.reason == Reason.CORRUPT


def test_the_child_has_no_credentials_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-store")
    (tmp_path / "telling.py").write_text(
        "import os, sys\n"
        "from modelyard_kit.trial import child\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(child(lambda path, told: [told, sorted(os.environ)]))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    told, names = tried("telling", tmp_path / "telling.py", "hello")
    assert told == "hello"
    assert "PATH" in names
    assert "AWS_SECRET_ACCESS_KEY" in os.environ
    assert "AWS_SECRET_ACCESS_KEY" not in names
