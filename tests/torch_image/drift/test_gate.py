"""In the image that judges: models of PyTorch are asked again on labelled rows, whatever format each has."""

from pathlib import Path
from typing import Any

import pytest
import torch
from prometheus_client import CollectorRegistry

from modelyard.contract.document import digest_of
from modelyard.contract.store import model_manifest
from modelyard.contract.tasks import ModelTask
from modelyard_drift.gate import gate
from modelyard_kit.model import publish_file
from modelyard_kit.progress import Reporter
from modelyard_kit.tabular import columns_table
from tests.torch_image.networks import CLASSES, FEATURES, SAVED, Shop, columns, manifest, rows, trained
from tests.unit.drift_image.world import World

COUNT = 300


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def turned(module: Any) -> Any:
    """It takes for the likeliest class what was the least likely."""
    with torch.no_grad():
        module.last.weight.neg_()
        module.last.bias.neg_()
    return module


def published(world: World, name: str, module: Any, way: str) -> ModelTask:
    folder = world.folder / name
    folder.mkdir()
    path = SAVED[way](module, folder)
    complete = manifest(path).model_copy(update={"files": [publish_file(world.store, path)]})
    digest = digest_of(complete.wire())
    world.store.put_manifest(model_manifest("ns", name, digest), complete)
    return ModelTask(training_job=name, model_digest=digest)


def traffic(world: World, model: ModelTask) -> None:
    """Rows whose labels are what the good network says of them."""
    given = rows(COUNT, seed=4)
    with torch.inference_mode():
        known = [CLASSES[at] for at in trained(Shop())(given).argmax(dim=1).tolist()]
    world.label(world.capture(model, columns_table(columns(given), FEATURES), ["low"] * COUNT), known)


@pytest.mark.parametrize(("champion", "challenger"), [("exported", "scripted"), ("frozen", "exported for eight rows")])
def test_the_better_network_is_promoted_and_the_worse_refused(world: World, champion: str, challenger: str) -> None:
    bad = published(world, "bad", turned(trained(Shop())), champion)
    good = published(world, "good", trained(Shop()), challenger)
    traffic(world, bad)

    def judged(one: ModelTask, other: ModelTask) -> Any:
        return gate(world.gate(one, other), Reporter(CollectorRegistry()))

    found = judged(bad, good)
    assert (found.verdict, found.rows, found.challenger) == ("Promote", COUNT, 1.0)
    assert judged(good, bad).verdict == "Refuse"
