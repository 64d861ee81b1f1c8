"""Networks that torch computes, on one thread as all models of ours: requests share the cores with each other."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.matrix_model import Matrix
from modelyard_kit.network import Network
from modelyard_kit.torch_archive import Entries
from modelyard_kit.torch_pickle import UnsafePickleError


@dataclass(frozen=True)
class TorchNetwork(Network):
    library = "PyTorch"
    module: Callable[[Any], Any]
    least: int = 1
    most: int | None = None

    @property
    def sizes(self) -> tuple[int, int | None]:
        return self.least, self.most

    def forward(self, rows: Matrix) -> Matrix:
        with torch.inference_mode():
            given = self.module(torch.from_numpy(rows))
        if not isinstance(given, torch.Tensor):
            raise TypeError(f"it answers a {type(given).__name__}: return one tensor")
        found: Matrix = given.to(torch.float64).numpy()
        return found


def single_threaded() -> None:
    torch.set_num_threads(1)


def refuse_plain_save(path: Path, entries: Entries) -> None:
    """Raises UserFailure(UnsafeModel) where torch.save wrote it."""
    if any(name.rpartition("/")[2] == "data.pkl" for name in entries):
        raise unsafe(path, "is a pickle, as torch.save writes it")


def unsafe(path: Path, what: object) -> UserFailure:
    return UserFailure(
        Reason.UNSAFE_MODEL,
        f"{path.name} {what}: it could run any code when it is loaded; save the model by torch.export.save or "
        "torch.jit.save",
    )


def corrupt(path: Path, why: object) -> WorldFailure:
    first = str(why).strip().partition("\n")[0][:300]
    return WorldFailure(Reason.CORRUPT, f"{path.name} cannot be read by torch {torch.__version__}: {first}")


def read(path: Path, how: Callable[[], Any]) -> Any:
    """What `how` reads of it. Raises TaskFailure: UnsafeModel, Corrupt."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return how()
    except (UserFailure, WorldFailure):
        raise
    except UnsafePickleError as error:
        raise unsafe(path, f"holds a pickle with {error}") from error
    except Exception as error:  # its errors have no common base
        raise corrupt(path, error) from error
