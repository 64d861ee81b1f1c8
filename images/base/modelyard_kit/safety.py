"""What may happen when a file of a format is loaded: every loader declares one, as SAFETY."""

from enum import Enum


class Safety(Enum):
    NUMBERS = "arrays of numbers, read by code that checks every bound"
    TYPES = "objects of the types of a closed list, without their own code"
    GRAPH = "a graph of the operators of a closed list"
    NATIVE = "no code, but a native parser that a damaged file can crash"
    CODE = "whatever its author wrote: only where the resource and the chart both allow it"
    TORCH = "operators of a closed list, and tensors described by a pickle that is read as data"

    @property
    def describes_by_pickle(self) -> bool:
        """Whether an archive of the format holds a pickle, which its loader reads itself and never runs."""
        return self is Safety.TORCH

    @property
    def may_crash(self) -> bool:
        """Whether native code reads the file, which may not outlive a damaged one."""
        return self in (Safety.NATIVE, Safety.TORCH)
