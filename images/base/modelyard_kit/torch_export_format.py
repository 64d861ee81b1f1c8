"""Models of `torch.export.save`: a graph of ATen operators in JSON, and its tensors.

`torch.export.load` runs the pickles within by `torch.load(weights_only=False)`, evaluates the text of sizes as Python,
and makes Python of the names. So tensors are read as data, and the JSON is checked and cut down to what is known first.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch._export.serde.serialize import SerializedArtifact, deserialize

from modelyard.contract.manifest import ModelManifest
from modelyard_kit.safety import Safety
from modelyard_kit.torch_archive import Entries, below_folder, entries_of, read_archive
from modelyard_kit.torch_network import TorchNetwork, corrupt, read, refuse_plain_save, single_threaded, unsafe
from modelyard_kit.torch_operators import is_allowed
from modelyard_kit.torch_pickle import Tensor, read_pickle

FILE = "model.pt2"
SAFETY = Safety.TORCH
GRAPH = "serialized_exported_program.json"
TENSORS = ("serialized_state_dict.pt", "serialized_constants.pt")
ATEN = re.compile(r"torch\.ops\.aten\.(\w+)\.\w+")
SIZES = re.compile(r"_operator\.(add|sub|mul|neg|floordiv|mod|eq|ne|lt|le|gt|ge)")  # of numbers, not of tensors
WORD = re.compile(r"[A-Za-z0-9_.]{0,200}")
SYMBOL = r"Symbol\('[su]\d{1,6}'(?:, (?:positive|nonnegative|integer)=True)*\)"
NUMBER = r"s\d{1,6}(?!\d)|-?\d{1,12}(?!\d)"
EXPRESSION = re.compile(rf"(?:{SYMBOL}|{NUMBER}|(?:Integer|Mul|Add|FloorDiv|Mod)\(|, | ?[+*](?!\*) ?|\)){{1,40}}")
KINDS = re.compile(
    r"as_(tensors?|ints?|floats?|bools?|string|none|expr|name|sym_ints?|scalar_type|memory_format|layout|device"
    r"|optional_tensors?)"
)
INPUT: Mapping[str, Any] = {"type": None, "context": None, "children_spec": []}
ROW = {"type": "builtins.tuple", "context": "null", "children_spec": [INPUT]}
NAMED = {"type": "builtins.dict", "context": "[]", "children_spec": []}
GIVEN = [1, {"type": "builtins.tuple", "context": "null", "children_spec": [ROW, NAMED]}]
ANSWERED = [1, INPUT]


def load(path: Path, manifest: ModelManifest) -> TorchNetwork:
    """Raises TaskFailure: UnsafeModel for what does more than to compute, Corrupt, UserError where it does not fit."""
    single_threaded()
    entries = read_archive(path)
    if GRAPH not in entries:
        refuse_plain_save(path, entries)
        raise corrupt(path, f"it has no {GRAPH}: write it by torch.export.save")
    program = read(path, lambda: _program(path, entries))
    least, most = _rows(program)
    model = TorchNetwork(manifest, program.module(), least, most)
    model.check()
    return model


def _program(path: Path, entries: Entries) -> Any:
    document = json.loads(entries[GRAPH])
    state, constants = (_tensors(entries[name]) for name in TENSORS)
    return deserialize(SerializedArtifact(json.dumps(_checked(path, document)).encode(), state, constants, b""))


def _tensors(data: bytes) -> dict[str, Any]:
    """Parameters and buffers by their names. Raises as `read_pickle` does."""
    if not data:
        return {}
    entries = below_folder(entries_of(data))
    storages = {name.removeprefix("data/"): kept for name, kept in entries.items() if name.startswith("data/")}
    found = read_pickle(entries["data.pkl"], storages)
    if type(found) is not dict or not all(isinstance(value, Tensor) for value in found.values()):
        raise ValueError("its tensors are not described by their names")
    return {name: _in_torch(value) for name, value in found.items()}


def _in_torch(tensor: Tensor) -> Any:
    found = torch.from_numpy(tensor.array)
    return torch.nn.Parameter(found, requires_grad=False) if tensor.is_parameter else found


def _checked(path: Path, document: Any) -> Any:
    """The document without what is only for people, once all that is left is known to be harmless."""
    module = document["graph_module"]
    for node in module["graph"]["nodes"]:
        node["metadata"] = {}
    call = next(entry["signature"] for entry in module["module_call_graph"] if entry["fqn"] == "")
    if json.loads(call["in_spec"]) != GIVEN or json.loads(call["out_spec"]) != ANSWERED:
        raise ValueError("it has to take one tensor of rows and return one")
    module["module_call_graph"] = [{"fqn": "", "signature": call}]
    module["metadata"] = {}
    said = {"in_spec": json.dumps(GIVEN), "out_spec": json.dumps(ANSWERED)}
    document["torch_version"] = ""
    for key, text in _texts(document):
        if key in said:
            continue
        if key == "target" and not _is_operator(text):
            raise unsafe(path, f"has the operator {text[:100]}, which serving does not run")
        if key == "expr_str" and not EXPRESSION.fullmatch(text):
            raise unsafe(path, f"has the size {text[:100]!r}")
        if key == "as_" or (key not in ("target", "expr_str") and not WORD.fullmatch(text)):
            raise unsafe(path, f"has the name {text[:100]!r}")
    call.update(said)
    return document


def _is_operator(target: str) -> bool:
    aten = ATEN.fullmatch(target)
    return is_allowed(aten[1]) if aten else bool(SIZES.fullmatch(target))


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text within and every name of a member, with the name of the member that it is in; `as_` for those of an
    unknown kind."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield "as_" if name.startswith("as_") and not KINDS.fullmatch(name) else "", name
            yield from _texts(item, name)


def _rows(program: Any) -> tuple[int, int | None]:
    """How many rows it takes at once: exactly so many, or within the range that its export tells."""
    (given,) = (
        node
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs
    )
    rows = given.meta["val"].shape[0]
    if isinstance(rows, int):
        return rows, rows
    told = program.range_constraints.get(rows.node.expr)
    most = int(told.upper) if told is not None and told.upper.is_Integer else None
    return max(1, int(told.lower)) if told is not None else 1, most
