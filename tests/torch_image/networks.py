"""Small real networks, saved as scripts save them, and what modelyard says of them in a manifest."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modelyard.contract.manifest import Column, ModelManifest
from modelyard_kit.torch_operators import is_allowed

FEATURES = [Column(name=name, type="float64") for name in ("price", "weight", "age")]
CLASSES = ["high", "low", "middle"]
STATIC = 8  # rows of the export with fixed shapes


class Shop(nn.Module):
    """Standardises, and fills what is missing; three classes, or a value."""

    def __init__(self, classes: int = 3, end: nn.Module | None = None) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.register_buffer("mean", torch.tensor([20.0, 3.0, 40.0]))
        self.net = nn.Sequential(
            nn.Linear(3, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(), nn.Linear(16, 8), nn.GELU(), nn.LayerNorm(8)
        )
        self.last = nn.Linear(8, classes or 1)
        self.end = end or (nn.Softmax(dim=1) if classes > 1 else nn.Identity())

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.end(self.last(self.net(torch.nan_to_num(rows - self.mean))))


class Sliding(nn.Module):
    """Slides over the features, by other operators than Shop."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.slide = nn.Conv1d(1, 6, 2)
        self.bend = nn.PReLU()
        self.last = nn.Linear(6, 3)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        seen = self.bend(self.slide(rows.unsqueeze(1) / 20)).amax(dim=2)
        return torch.log_softmax(self.last(torch.cat([seen[:, :3], seen[:, 3:].clamp(min=0)], dim=1)), dim=1).exp()


class Reading(nn.Module):
    """Reads the features one after the other."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.read = nn.GRU(1, 6, batch_first=True)
        self.last = nn.Linear(6, 3)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        read, _ = self.read(rows.unsqueeze(2))
        return torch.softmax(self.last(read[:, -1]), dim=1)


def rows(count: int, seed: int = 0) -> torch.Tensor:
    found = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)) * 10 + 20
    found[1::5, 1] = float("nan")
    return found


def trained(module: nn.Module) -> nn.Module:
    """With statistics of real batches in its layers."""
    module.train()
    module(rows(64, seed=3).nan_to_num())
    return module.eval()


def exported(module: nn.Module, path: Path, static: bool = False) -> Path:
    given = (rows(STATIC),)
    sizes = None if static else ({0: torch.export.Dim("batch", max=1024)},)
    torch.export.save(torch.export.export(module, given, dynamic_shapes=sizes), path)
    return path


def scripted(module: Any, path: Path) -> Path:
    torch.jit.save(module, path)
    return path


SAVED: Mapping[str, Callable[[nn.Module, Path], Path]] = {
    "scripted": lambda module, folder: scripted(torch.jit.script(module), folder / "model.pt"),
    "traced": lambda module, folder: scripted(torch.jit.trace(module, rows(4)), folder / "model.pt"),
    "frozen": lambda module, folder: scripted(torch.jit.freeze(torch.jit.script(module)), folder / "model.pt"),
    "exported": lambda module, folder: exported(module, folder / "model.pt2"),
    "exported for eight rows": lambda module, folder: exported(module, folder / "model.pt2", static=True),
}


def manifest(path: Path, classes: list[str] | None = None, **said: Any) -> ModelManifest:
    """Of a classifier of CLASSES; `classes` [] is a regression."""
    classes = CLASSES if classes is None else classes
    form = {".pt": "torchscript", ".pt2": "torch-export", ".safetensors": "safetensors"}[path.suffix]
    plain: dict[str, Any] = {
        "format": form,
        "task": "classification" if classes else "regression",
        "files": [],
        "features": FEATURES,
        "label": Column(name="level", type="string" if classes else "float64", role="label"),
        "classes": classes,
        "metrics": {},
        "profile_digest": "",
        "dataset_name": "",
        "dataset_digest": "",
        "created_at": "2026-01-01T00:00:00Z",
        "example": {"price": [20.0, 3.5], "weight": [None, 1.0], "age": [41.0, 2.0]},
    }
    return ModelManifest(**{**plain, **said})


def columns(given: torch.Tensor) -> list[list[float | None]]:
    """The rows as plain values by feature, as a server has them."""
    return [[None if value != value else value for value in column] for column in given.T.tolist()]


def is_known(operator: str) -> bool:
    """Whether torch has an operator of that name, and the list of ours allows it."""
    names = {schema.name.partition("::")[2] for schema in torch._C._jit_get_all_schemas()}
    return operator in names and is_allowed(operator)
