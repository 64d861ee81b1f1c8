"""A model that real torch wrote answers as torch itself, one row at a time or many, and is served."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from modelyard.contract.document import digest_of
from modelyard.contract.store import StoreConfig, model_manifest
from modelyard.contract.tasks import ServeTask
from modelyard_kit.architecture import HEADER
from modelyard_kit.model import open_model, publish_file
from modelyard_kit.store import Store
from modelyard_serving import loading
from modelyard_serving.data_plane import DataPlane
from modelyard_serving.serving import Serving
from modelyard_serving.shell import shell
from modelyard_serving.trial import try_out
from tests.torch_image.networks import (
    CLASSES,
    SAVED,
    Reading,
    Shop,
    Sliding,
    columns,
    manifest,
    rows,
    scripted,
    trained,
)

EACH = pytest.mark.parametrize("way", SAVED)
CLOSE = 1e-6


def theirs(module: Any, given: torch.Tensor) -> Any:
    with torch.inference_mode():
        return module(given).double().numpy()


@EACH
@pytest.mark.parametrize("kind", [Shop, Sliding])
def test_a_classifier_answers_as_torch_does_in_batches_and_alone(way: str, kind: Any, tmp_path: Path) -> None:
    module = trained(kind())
    path = SAVED[way](module, tmp_path)
    model = open_model(path, manifest(path))
    given = rows(20, seed=1).nan_to_num() if kind is Sliding else rows(20, seed=1)
    expected = theirs(module, given)
    together = model.predict_columns(columns(given))
    assert together.values == [CLASSES[at] for at in expected.argmax(axis=1)]
    assert together.probabilities == pytest.approx(expected, abs=CLOSE)
    for at in range(20):
        alone = model.predict_columns(columns(given[at : at + 1]))
        assert alone.values == together.values[at : at + 1]
        assert alone.probabilities == pytest.approx(expected[at : at + 1], abs=CLOSE)


def test_a_recurrent_network_is_served_as_torchscript(tmp_path: Path) -> None:
    module, given = trained(Reading()), rows(20, seed=5).nan_to_num()
    path = scripted(torch.jit.script(module), tmp_path / "model.pt")
    found = open_model(path, manifest(path)).predict_columns(columns(given))
    assert found.probabilities == pytest.approx(theirs(module, given), abs=CLOSE)


@EACH
def test_a_regression_and_a_probability_of_the_second_class_are_one_column(way: str, tmp_path: Path) -> None:
    given = rows(11, seed=2)
    module = trained(Shop(classes=0))
    path = SAVED[way](module, tmp_path)
    found = open_model(path, manifest(path, [])).predict_columns(columns(given))
    assert found.values == pytest.approx(theirs(module, given)[:, 0], abs=1e-5)
    module = trained(Shop(classes=0, end=torch.nn.Sigmoid()))
    path = SAVED[way](module, tmp_path)
    binary = open_model(path, manifest(path, ["no", "yes"])).predict_columns(columns(given))
    assert binary.probabilities is not None
    assert binary.probabilities[:, 1] == pytest.approx(theirs(module, given)[:, 0], abs=CLOSE)


def test_an_export_for_a_range_of_rows_is_asked_for_no_fewer_and_no_more(tmp_path: Path) -> None:
    module, path = trained(Shop()), tmp_path / "model.pt2"
    sizes = ({0: torch.export.Dim("batch", min=4, max=6)},)
    torch.export.save(torch.export.export(module, (rows(5),), dynamic_shapes=sizes), path)
    model: Any = open_model(path, manifest(path))
    assert model.sizes == (4, 6)
    for count in (1, 3, 4, 6, 7, 13):
        given = rows(count, seed=count)
        assert model.predict_columns(columns(given)).probabilities == pytest.approx(theirs(module, given), abs=CLOSE)


@pytest.mark.parametrize("activation", ["ReLU", "Tanh", "Sigmoid", "SiLU", "GELU", "Identity"])
def test_weights_alone_answer_as_the_network_they_are_from(activation: str, tmp_path: Path) -> None:
    torch.manual_seed(9)
    made = getattr(torch.nn, activation)
    net = torch.nn.Sequential(torch.nn.Linear(3, 16), made(), torch.nn.Linear(16, 8), made(), torch.nn.Linear(8, 3))
    path, mean, scale = tmp_path / "model.safetensors", torch.tensor([20.0, 18.0, 21.0]), torch.tensor([9.0, 8.0, 11.0])
    said = (
        f'{{"kind": "mlp", "sizes": [3, 16, 8, 3], "layers": ["0", "2", "4"], "activation": "{activation.lower()}", '
        '"output": "softmax"}'
    )
    save_file({**net.state_dict(), "mean": mean, "scale": scale}, path, metadata={HEADER: said})
    given = rows(50, seed=4)
    found = open_model(path, manifest(path)).predict_columns(columns(given))
    with torch.inference_mode():
        expected = torch.softmax(net(torch.nan_to_num((given - mean) / scale)), dim=1).numpy()
    assert found.probabilities == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("way", ["scripted", "exported", "exported for eight rows"])
def test_a_published_model_is_tried_out_and_served(way: str, tmp_path: Path) -> None:
    module = trained(Shop())
    (tmp_path / "store").mkdir()
    store = Store(StoreConfig(uri=f"file://{tmp_path}/store"))
    path = SAVED[way](module, tmp_path)
    plain = manifest(path)
    example = torch.tensor(
        [[np.nan if value is None else value for value in plain.example[c.name]] for c in plain.features]
    ).T.float()
    answers = [CLASSES[at] for at in theirs(module, example).argmax(axis=1)]
    whole = manifest(path, files=[publish_file(store, path)], answers=answers)
    try_out(path, whole)
    digest = digest_of(whole.wire())
    store.put_manifest(model_manifest("shop", "job", digest), whole)
    task = ServeTask(
        namespace="shop",
        name="demo",
        store=store.config,
        model_name="demo",
        training_job="job",
        model_digest=digest,
        revision="r1",
        flush_seconds=60,
        drain_seconds=0,
    )
    given = rows(9, seed=6).nan_to_num()
    told = asyncio.run(asked(task, given.tolist()))
    expected = theirs(module, given)
    assert told == [CLASSES[at] for at in expected.argmax(axis=1)] * 2


async def asked(task: ServeTask, given: list[list[float]]) -> list[str]:
    """What the server says to all rows at once, then to each in a request of its own, all sent at the same moment."""
    async with httpx.AsyncClient() as forwarding:
        serving = Serving(task, forwarding)
        serving.begin(loading.load(task, serving.reporter), 0.0)
        app = httpx.ASGITransport(app=DataPlane(serving, shell(serving)))
        async with httpx.AsyncClient(transport=app, base_url="http://server") as client:

            async def predict(instances: list[list[float]]) -> list[str]:
                answer = await client.post("/v1/models/demo:predict", json={"instances": instances})
                assert answer.status_code == 200, answer.text
                return list(answer.json()["predictions"])

            together = await predict(given)
            alone = await asyncio.gather(*(predict([row]) for row in given))
        for spool in serving.loaded.spools() if serving.loaded else ():
            assert await asyncio.to_thread(spool.close, 10.0)
    return together + [answer for answers in alone for answer in answers]
