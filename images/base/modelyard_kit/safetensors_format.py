"""Weights in a safetensors file and an architecture of a closed list, computed by numpy: neither needs torch.

A missing value counts as the feature's mean where the file has `mean`, else as 0. The file has no checksum of its own:
the store's digest and the answers that training recorded stand for the weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file
from scipy.special import erf, expit, log_softmax

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.architecture import HEADER, Activation, Output, Perceptron, parse
from modelyard_kit.failure import UserFailure, WorldFailure
from modelyard_kit.matrix_model import Matrix
from modelyard_kit.network import Network
from modelyard_kit.safety import Safety

FILE = "model.safetensors"
SAFETY = Safety.NUMBERS
MAX_BYTES = 512 * 2**20
Tensors = Mapping[str, Matrix]

ACTIVATIONS: Mapping[Activation, Callable[[Matrix], Matrix]] = {  # as torch.nn.functional has them
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "gelu": lambda x: x * (1 + erf(x / np.float32(np.sqrt(2)))) / 2,
    "identity": lambda x: x,
}
OUTPUTS: Mapping[Output, Callable[[Matrix], Matrix]] = {
    "identity": lambda x: x,
    "sigmoid": lambda x: expit(x.astype(np.float64)),
    "softmax": lambda x: np.exp(log_softmax(x.astype(np.float64), axis=1)),
}


@dataclass(frozen=True)
class PerceptronModel(Network):
    library = "safetensors"
    architecture: Perceptron
    tensors: Tensors

    def forward(self, rows: Matrix) -> Matrix:
        mean, scale = self.tensors.get("mean"), self.tensors.get("scale")
        rows = rows if mean is None else rows - mean
        rows = np.where(np.isnan(rows), np.float32(0), rows if scale is None else rows / scale)
        *hidden, last = self.architecture.layers
        activation = ACTIVATIONS[self.architecture.activation]
        with np.errstate(over="ignore"):
            for layer in hidden:
                rows = activation(self._linear(layer, rows))
            return OUTPUTS[self.architecture.output](self._linear(last, rows))

    def _linear(self, layer: str, rows: Matrix) -> Matrix:
        found: Matrix = rows @ self.tensors[f"{layer}.weight"].T + self.tensors[f"{layer}.bias"]
        return found


def load(path: Path, manifest: ModelManifest) -> PerceptronModel:
    """Raises UserFailure where architecture, tensors or dataset do not fit, WorldFailure(Corrupt) for no such file."""
    if path.stat().st_size > MAX_BYTES:
        raise UserFailure(Reason.UNSAFE_MODEL, f"{path.name} has more than {MAX_BYTES // 2**20} MiB")
    try:
        with safe_open(path, framework="numpy") as file:
            said = (file.metadata() or {}).get(HEADER, "")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} is no safetensors file: {error}") from error
    model = PerceptronModel(manifest, parse(said), tensors)
    _check_tensors(model)
    model.check()
    return model


def describe(path: Path, architecture: bytes) -> None:
    """Writes the architecture into the file's header, so that it is one file. Raises as `load` does."""
    parse(architecture)
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise WorldFailure(Reason.CORRUPT, f"{path.name} is no safetensors file: {error}") from error
    save_file(tensors, path, metadata={HEADER: architecture.decode()})


def _check_tensors(model: PerceptronModel) -> None:
    sizes = model.architecture.sizes
    wanted: dict[str, tuple[int, ...]] = {}
    for layer, given, made in zip(model.architecture.layers, sizes, sizes[1:], strict=False):
        wanted |= {f"{layer}.weight": (made, given), f"{layer}.bias": (made,)}
    wanted |= {name: (sizes[0],) for name in ("mean", "scale") if name in model.tensors}
    for name, shape in wanted.items():
        tensor = model.tensors.get(name)
        if tensor is None or tensor.shape != shape or tensor.dtype != np.float32:
            there = "is absent" if tensor is None else f"is {tensor.dtype} of the shape {tensor.shape}"
            raise model.unfit(f"needs {name} as float32 of the shape {shape}, and it {there}")
        if not np.isfinite(tensor).all():
            raise model.unfit(f"has numbers in {name} that are not finite: train it again")
    if strange := sorted(set(model.tensors) - set(wanted)):
        raise model.unfit(f"has the tensor {strange[0]}, which its architecture does not: name it in layers")
