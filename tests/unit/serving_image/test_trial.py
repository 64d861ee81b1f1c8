"""What a damaged model does to the process that first loads it, and what is said of it then."""

import pickle
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sklearn.tree import DecisionTreeClassifier

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import TaskFailure
from modelyard_kit.skops_format import save_model
from modelyard_serving.trial import try_out
from tests.unit.kit.frames import frame_of
from tests.unit.serving_image import models
from tests.unit.serving_image.damaging import endings, flipped
from tests.unit.serving_image.models import NUMERIC, ROWS, Kind, Place

pytestmark = pytest.mark.timeout(120)


def fetched(where: Place, kind: Kind = "classification", form: Any = "skops") -> tuple[ModelManifest, Path]:
    return models.fetched(where, models.publish(where, kind, NUMERIC, form=form))


@pytest.mark.parametrize("form", models.FORMATS)
def test_a_good_model_is_good_and_one_that_answers_otherwise_is_not(where: Place, form: str) -> None:
    manifest, path = fetched(where, form=form)
    for answers in ([], ["low", "low"]):
        try_out(path, manifest.model_copy(update={"answers": answers}))
    with pytest.raises(TaskFailure, match="answers low to example row 1, and answered high") as told:
        try_out(path, manifest.model_copy(update={"answers": ["low", "high"]}))
    assert (told.value.blame, told.value.reason) == ("world", Reason.SERVING_PARITY)


def test_a_regression_may_differ_by_rounding_only(where: Place) -> None:
    manifest, path = fetched(where, "regression", "onnx")
    try_out(path, manifest.model_copy(update={"answers": [1.0, 3.00001]}))
    with pytest.raises(TaskFailure, match=r"answered 3\.01 when it was trained"):
        try_out(path, manifest.model_copy(update={"answers": [1.0, 3.01]}))


@pytest.mark.parametrize("form", ["skops", "xgboost", "lightgbm"])
def test_a_refusal_of_the_loader_is_the_failure(where: Place, form: str) -> None:
    manifest, path = fetched(where, form=form)
    whole = path.read_bytes()
    for data, reason in ((whole[:-100], Reason.CORRUPT), (pickle.dumps("model"), Reason.UNSAFE_MODEL)):
        path.write_bytes(data)
        with pytest.raises(TaskFailure) as told:
            try_out(path, manifest)
        assert told.value.reason == reason


@pytest.mark.parametrize("form", ["xgboost", "lightgbm"])
def test_a_boosted_model_that_is_shortened_is_corrupt_and_one_with_a_wrong_bit_harms_its_trial_only(
    where: Place, form: str
) -> None:
    manifest, path = fetched(where, form=form)
    whole, random = path.read_bytes(), Random(5)  # noqa: S311 - repeatable
    shortened = [whole[: random.randrange(len(whole) - 1)] for _ in range(20)]
    assert set(endings(path, manifest, shortened)) == {"Corrupt"}
    wrong = [flipped(whole, seed) for seed in range(60)]
    found = endings(path, manifest, wrong)
    assert "Corrupt" in found
    assert "fails" not in found
    for copy, ending in zip(wrong, found, strict=True):
        if ending.startswith("SIG"):
            path.write_bytes(copy)
            with pytest.raises(TaskFailure, match=f"is ended by {ending}") as told:
                try_out(path, manifest)
            assert told.value.reason == Reason.UNSAFE_MODEL
            break


@pytest.mark.parametrize(
    ("child", "how"),
    [(10**9, "is ended by SIGSEGV"), (0, "is ended by SIG(XCPU|KILL)|does not end within 10 s")],  # on a busy machine
    ids=["crashes", "loops"],
)
def test_a_model_that_crashes_or_loops_ends_a_process_that_is_not_the_server(
    where: Place, tmp_path: Path, child: int, how: str
) -> None:
    manifest, _ = fetched(where)
    path, types = save_model(damaged(child), tmp_path)
    with pytest.raises(TaskFailure, match=how) as told:
        try_out(path, manifest.model_copy(update={"trusted_types": types}), seconds=5)
    assert (told.value.blame, told.value.reason) == ("user", Reason.UNSAFE_MODEL)


def damaged(child: int) -> DecisionTreeClassifier:
    """A tree whose root has its children at that index: scikit-learn follows them without a look."""
    tree = DecisionTreeClassifier().fit(
        frame_of({c.name: ROWS[c.name] for c in NUMERIC}, NUMERIC), ["low", "high"] * 20
    )
    state = tree.tree_.__getstate__()
    nodes = state["nodes"].copy()
    nodes["left_child"][0] = nodes["right_child"][0] = child
    tree.tree_.__setstate__({**state, "nodes": nodes})
    return tree
