"""A script trains with torch in the image that holds it: what it leaves is measured, published and loaded again."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from modelyard.contract.manifest import Column
from modelyard.contract.tasks import TrainTask
from modelyard_kit.failure import TaskFailure
from modelyard_kit.model import load_model
from modelyard_kit.progress import Reporter
from modelyard_kit.store import Store
from modelyard_training.train import train
from tests.unit.training_image.conftest import Publish

COLUMNS = [
    Column(name="x", type="float64"),
    Column(name="n", type="int64"),
    Column(name="y", type="bool", role="label"),
]
SCRIPT = """
import json, os, pathlib
import pandas as pd, torch
from torch import nn
torch.manual_seed(0)
data = pd.read_parquet(os.environ["SM_CHANNEL_TRAIN"])
features = json.loads(os.environ["MODELYARD_FEATURES"])
rows = torch.tensor(data[features].astype(float).to_numpy(), dtype=torch.float32)
codes = torch.tensor(data[os.environ["MODELYARD_LABEL"]].astype("category").cat.codes.to_numpy(), dtype=torch.long)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(len(features), 8), nn.ReLU(), nn.Linear(8, 2))
    def forward(self, given):
        return torch.softmax(self.net(torch.nan_to_num(given)), dim=1)
net = Net()
steps = torch.optim.Adam(net.parameters(), lr=0.05)
for _ in range(100):
    steps.zero_grad()
    nn.functional.cross_entropy(net.net(torch.nan_to_num(rows)), codes).backward()
    steps.step()
net.eval()
folder = pathlib.Path(os.environ["SM_MODEL_DIR"])
"""
SAVES = {
    "torch-export": (
        "torch.export.save(torch.export.export(net, (rows,), "
        'dynamic_shapes=({0: torch.export.Dim("batch")},)), folder / "model.pt2")\n'
    ),
    "torchscript": 'torch.jit.save(torch.jit.script(net), folder / "model.pt")\n',
    "safetensors": (
        "from safetensors.torch import save_file\n"
        'save_file(net.net.state_dict(), folder / "model.safetensors")\n'
        'said = {"kind": "mlp", "sizes": [2, 8, 2], "layers": ["0", "2"], "output": "softmax"}\n'
        '(folder / "architecture.json").write_text(json.dumps(said))\n'
    ),
}


@pytest.fixture
def task(publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainTask:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    values = [at / 50 - 2 for at in range(200)]
    split: dict[str, list[Any]] = {
        "x": [None if at % 10 == 0 else value for at, value in enumerate(values)],
        "n": [at % 3 for at in range(200)],
        "y": [value > 0.3 for value in values],
    }
    made = publish(COLUMNS, {"train": split, "test": {name: kept[::3] for name, kept in split.items()}})
    return made.model_copy(update={"recipe": None, "entry_point": "train.py"})


def leave(folder: Path, code: str) -> None:
    (folder / "ml" / "code").mkdir(parents=True)
    (folder / "ml" / "code" / "train.py").write_text(SCRIPT + code)


@pytest.mark.parametrize("form", SAVES)
def test_a_network_that_a_script_trains_is_measured_and_published(
    form: str, task: TrainTask, store: Store, tmp_path: Path
) -> None:
    leave(tmp_path, SAVES[form])
    result = train(task, Reporter(CollectorRegistry()))
    assert result.format == form
    assert result.metrics["accuracy"] > 0.85
    model = load_model(store, "ns", "churn", result.model_digest, tmp_path / "loaded")
    assert (model.manifest.classes, len(model.manifest.files)) == (["false", "true"], 1)
    assert model.predict_columns([[-2.0, 2.0, None], [1, 1, 0]]).values[:2] == ["false", "true"]
    assert "nothing converts" in model.manifest.not_served["onnx"]


def test_a_state_that_torch_save_wrote_is_refused_with_the_fix(task: TrainTask, tmp_path: Path) -> None:
    leave(tmp_path, 'torch.save(net.state_dict(), folder / "model.pt")\n')
    with pytest.raises(TaskFailure, match=r"is a pickle.*torch\.export\.save") as told:
        train(task, Reporter(CollectorRegistry()))
    assert told.value.reason == "UnsafeModel"
