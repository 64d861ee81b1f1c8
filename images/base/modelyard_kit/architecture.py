"""The networks that a file of weights alone can be served with: a closed list of one, the multilayer perceptron.

Beside model.safetensors a script leaves it as architecture.json; published, it is in the file's own header.
"""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure

FILE = "architecture.json"
HEADER = "architecture"  # its key in the header of a safetensors file
Activation = Literal["relu", "tanh", "sigmoid", "silu", "gelu", "identity"]
Output = Literal["identity", "softmax", "sigmoid"]
Size = Annotated[int, Field(ge=1, le=65_536)]


class Perceptron(BaseModel):
    """`sizes` are the features, the hidden layers and the outputs; the tensors of layer i are `layers[i]`.weight, of
    outputs x inputs as torch.nn.Linear has them, and .bias. Tensors `mean` and `scale` of the features are optional."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Literal["mlp"]
    sizes: list[Size] = Field(min_length=2, max_length=64)
    layers: list[Annotated[str, Field(max_length=128)]]
    activation: Activation = "relu"
    output: Output = "identity"


def parse(text: str | bytes) -> Perceptron:
    """Raises UserFailure(UserError) that names the field and what it should be."""
    try:
        found = Perceptron.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise _wrong(f"{where}: {first['msg']}") from error
    if len(found.layers) != len(found.sizes) - 1 or len(set(found.layers)) != len(found.layers):
        raise _wrong(f"layers: {len(found.sizes)} sizes need {len(found.sizes) - 1} different names of layers")
    return found


def _wrong(what: str) -> UserFailure:
    example = {"kind": "mlp", "sizes": [8, 16, 2], "layers": ["0", "2"], "activation": "relu", "output": "softmax"}
    return UserFailure(Reason.USER_ERROR, f"{FILE}: {what}; write it as {json.dumps(example)}")
