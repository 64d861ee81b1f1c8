"""Models of `torch.jit.save`. TorchScript is a language: what a model may say in it is checked before torch reads it.

Loading runs code: `__setstate__`, and the defaults of arguments. So each operator is looked for by its word, in
whatever part of the text: no other spelling reaches it. See docs/adr/0036-torch-formats.md.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from modelyard.contract.manifest import ModelManifest
from modelyard.contract.reasons import Reason
from modelyard_kit.failure import UserFailure
from modelyard_kit.safety import Safety
from modelyard_kit.torch_archive import Entries, below_folder, read_archive, written
from modelyard_kit.torch_network import TorchNetwork, read, refuse_plain_save, single_threaded
from modelyard_kit.torch_operators import is_allowed
from modelyard_kit.torch_pickle import read_pickle

FILE = "model.pt"
SAFETY = Safety.TORCH
MAX_CODE = 4 * 2**20  # bytes
WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
ATTRIBUTE = re.compile(rb'getattr\((?!torch\b|ops\b)[A-Za-z_]\w*, "\w+"\)')  # how a submodule "0" is written
REFUSED = frozenset(b"__setstate__ __getstate__ classes fork awaitable print hasattr while".split())
KEPT = re.compile(r"data\.pkl|data/\w+|constants\.pkl|constants/\w+|code/[\w./]+\.py|(?:\.data/)?version|byteorder")


def load(path: Path, manifest: ModelManifest) -> TorchNetwork:
    """Raises TaskFailure: UnsafeModel for what does more than to compute, Corrupt, UserError where it does not fit."""
    single_threaded()
    archive = read_archive(path)
    model = TorchNetwork(manifest, read(path, lambda: _module(path, archive)))
    model.check()
    return model


def _module(path: Path, archive: Entries) -> Any:
    entries = below_folder(archive)
    if "constants.pkl" not in entries:
        refuse_plain_save(path, entries)
        raise ValueError("it has no constants.pkl: write it by torch.jit.save")
    code = {name: text for name, text in entries.items() if name.startswith("code/") and name.endswith(".py")}
    _check_code(path, code)
    for part in ("data", "constants"):
        read_pickle(entries[f"{part}.pkl"], _below(entries, f"{part}/"), scripted=True)
    kept = {name: data for name, data in entries.items() if KEPT.fullmatch(name)}
    return torch.jit.load(written(kept), map_location="cpu").eval()  # type: ignore[no-untyped-call,unused-ignore]


def _check_code(path: Path, code: Mapping[str, bytes]) -> None:
    if sum(map(len, code.values())) > MAX_CODE:
        raise ValueError(f"its code has more than {MAX_CODE // 2**20} MiB")
    known = {schema.name.partition("::")[2].encode() for schema in torch._C._jit_get_all_schemas()}
    for text in code.values():
        words = set(WORD.findall(text))
        found = words & REFUSED | {word for word in words & known if not is_allowed(word.decode())}
        if len(ATTRIBUTE.findall(text)) != len(re.findall(rb"\bgetattr\b", text)):
            found.add(b"getattr")
        if found:
            _refuse(path, found)


def _refuse(path: Path, words: Iterable[bytes]) -> None:
    said = ", ".join(sorted(word.decode() for word in words))
    raise UserFailure(
        Reason.UNSAFE_MODEL,
        f"{path.name} says {said} in its code, which serving does not run: use operators of tensors only, rename what "
        "is called so, or save it by torch.export.save",
    )


def _below(entries: Entries, folder: str) -> Entries:
    return {name.removeprefix(folder): data for name, data in entries.items() if name.startswith(folder)}
