"""Reads the pickles by which torch describes tensors, as data: nothing is imported, called or built that they name.

`torch.load` runs them, even weights_only may corrupt memory below torch 2.10 (CVE-2026-24747), and the C++ reader of
TorchScript trusts the sizes that they claim. Here every storage and tensor is compared with the bytes that there are.
"""

import math
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_OPERATIONS = 1_000_000
DTYPES: Mapping[str, str] = {
    "torch FloatStorage": "f4",
    "torch DoubleStorage": "f8",
    "torch HalfStorage": "f2",
    "torch LongStorage": "i8",
    "torch IntStorage": "i4",
    "torch ShortStorage": "i2",
    "torch CharStorage": "i1",
    "torch ByteStorage": "u1",
    "torch BoolStorage": "?",
}
TENSOR, PARAMETER = "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"
ORDERED = "collections OrderedDict"
LISTS = ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist")  # TorchScript's
TYPED = "torch.jit._pickle restore_type_tag"  # a list or a dict and the name of its type
BUILDERS = {TENSOR, PARAMETER, ORDERED, TYPED, *(f"torch.jit._pickle {name}" for name in LISTS)}
PUSHED = {"NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class UnsafePickleError(Exception):
    """It does more than to describe tensors; the message says what."""


@dataclass(frozen=True)
class Tensor:
    """Its elements as the pickle describes them: a copy, of its own. A parameter is one that was trained."""

    array: npt.NDArray[Any]
    is_parameter: bool = False


@dataclass(frozen=True)
class Named:
    """A name that the pickle imports; here it is only a name."""

    name: str


def read_pickle(data: bytes, storages: Mapping[str, bytes], scripted: bool = False) -> Any:
    """What it describes: dicts, lists, tuples, numbers, text, and Tensors over `storages`, by their keys.

    `scripted` allows objects of TorchScript's own classes; they become None. Raises UnsafePickleError for anything else
    that it names, ValueError where it is no whole pickle or its sizes are not those of the storages.
    """
    reader = _Reader(storages, scripted)
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
            if count > MAX_OPERATIONS:
                raise ValueError("it has too many operations")
            reader.step(operation.name, argument)
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"its operations do not fit each other: {error!r}") from error
    (found,) = reader.stack
    return found


class _Reader:
    def __init__(self, storages: Mapping[str, bytes], scripted: bool) -> None:
        self.storages, self.scripted = storages, scripted
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.steps: Mapping[str, Callable[[Any], None]] = {
            "PROTO": lambda _: None,
            "STOP": lambda _: None,
            "MARK": lambda _: self.marks.append(len(self.stack)),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_TUPLE": lambda _: self.stack.append(()),
            "TUPLE": lambda _: self.stack.append(tuple(self._marked())),
            "TUPLE1": lambda _: self.stack.append(tuple(self._popped(1))),
            "TUPLE2": lambda _: self.stack.append(tuple(self._popped(2))),
            "TUPLE3": lambda _: self.stack.append(tuple(self._popped(3))),
            "BINPUT": self._put,
            "LONG_BINPUT": self._put,
            "BINGET": lambda key: self.stack.append(self.memo[key]),
            "LONG_BINGET": lambda key: self.stack.append(self.memo[key]),
            "SETITEM": lambda _: self._set(self._popped(2)),
            "SETITEMS": lambda _: self._set(self._marked()),
            "APPEND": lambda _: self._extend(self._popped(1)),
            "APPENDS": lambda _: self._extend(self._marked()),
            "GLOBAL": self._name,
            "BINPERSID": lambda _: self.stack.append(self._storage(*self._popped(1))),
            "REDUCE": lambda _: self.stack.append(self._built(*self._popped(2))),
            "NEWOBJ": lambda _: self._object(),
            "BUILD": lambda _: self._state(),
        }

    def step(self, name: str, argument: Any) -> None:
        if name in PUSHED:
            self.stack.append(CONSTANTS.get(name, argument))
        elif name in self.steps:
            self.steps[name](argument)
        else:
            raise UnsafePickleError(f"the operation {name}")

    def _popped(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise ValueError("it takes more than it has")
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def _marked(self) -> list[Any]:
        return self._popped(count) if (count := len(self.stack) - self.marks.pop()) else []

    def _put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def _set(self, pairs: list[Any]) -> None:
        if type(self.stack[-1]) is not dict:
            raise UnsafePickleError("an item of what is no dict")
        self.stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))

    def _extend(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise UnsafePickleError("an item of what is no list")
        self.stack[-1].extend(values)

    def _name(self, argument: str) -> None:
        own = self.scripted and argument.startswith("__torch__") and not argument.startswith("__torch__.torch.classes")
        if not own and argument not in BUILDERS and argument not in DTYPES:
            raise UnsafePickleError(argument.replace(" ", "."))
        self.stack.append(Named(argument))

    def _object(self) -> None:
        kind, given = self._popped(2)
        if not self.scripted or given or not (isinstance(kind, Named) and kind.name.startswith("__torch__")):
            raise UnsafePickleError("an object")
        self.stack.append(None)

    def _state(self) -> None:
        target, state = self._popped(2)
        if target is not None or type(state) is not dict:
            raise UnsafePickleError("the state of what is no module")
        self.stack.append(None)

    def _storage(self, told: tuple[Any, ...]) -> npt.NDArray[Any]:
        word, kind, key, place, count = told
        if word != "storage" or place != "cpu":
            raise UnsafePickleError(f"a {word} on {place}: save the model on the CPU")
        kept = self.storages[key]
        dtype = np.dtype(DTYPES[kind.name])
        if count * dtype.itemsize != len(kept):
            raise ValueError(f"storage {key} has {len(kept)} bytes, and should have {count} of {dtype.itemsize}")
        return np.frombuffer(kept, dtype)

    def _built(self, kind: Any, given: Any) -> Any:
        if not isinstance(kind, Named) or type(given) is not tuple:
            raise UnsafePickleError("a call")
        if kind.name == ORDERED and not given:
            return {}
        if kind.name == TENSOR:
            return _tensor(*given[:4])
        if kind.name == PARAMETER and isinstance(given[0], Tensor):
            return replace(given[0], is_parameter=True)
        if kind.name.startswith("torch.jit._pickle ") and len(given) == 1 and type(given[0]) is list:
            return given[0]
        if kind.name == TYPED and type(given[0]) in (list, dict) and type(given[1]) is str:
            return given[0]
        raise UnsafePickleError(f"a call of {kind.name.replace(' ', '.')}")


def _tensor(storage: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor:
    if not isinstance(storage, np.ndarray):
        raise UnsafePickleError("a tensor without a storage")
    sizes = [offset, *shape, *strides]
    if len(shape) != len(strides) or any(type(size) is not int or size < 0 for size in sizes):
        raise ValueError(f"a tensor has the shape {shape} and the strides {strides}")
    count = math.prod(shape)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True)) if count else offset
    if (count and last >= len(storage)) or count > len(storage):
        raise ValueError(f"a tensor of the shape {shape} leads out of its storage of {len(storage)} elements")
    steps = [stride * storage.itemsize for stride in strides]
    view = np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)
    return Tensor(np.array(view, order="C"))
