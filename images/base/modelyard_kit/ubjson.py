"""Whether bytes are one whole document in UBJSON as XGBoost writes it: its own reader looks for no end of the file."""

import struct

SIZES = {b"i": 1, b"U": 1, b"C": 1, b"I": 2, b"l": 4, b"d": 4, b"L": 8, b"D": 8, b"Z": 0, b"T": 0, b"F": 0, b"N": 0}


def check_ubjson(data: bytes) -> None:
    """Raises ValueError with the place of what is cut short or out of place."""
    reader = _Reader(data)
    reader.value()
    while reader.around:
        reader.step()
    if reader.at != len(data):
        raise ValueError(f"something follows its end at byte {reader.at:,}")


class _Reader:
    """`around` are the objects (None) and arrays (how many values are to come) that the next value is in."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.around: list[int | None] = []

    def step(self) -> None:
        """Reads the next member of the innermost object or array, or its end."""
        left = self.around[-1]
        if left is None and self.data[self.at : self.at + 1] != b"}":
            self._take(self._count())
            self.value()
        elif left:
            self.around[-1] = left - 1
            self.value()
        else:
            self._take(1 if left is None else 0)
            self.around.pop()

    def value(self) -> None:
        kind = self._take(1)
        if kind == b"{":
            self.around.append(None)
        elif kind == b"[":
            self._array()
        else:
            self._take(self._count() if kind == b"S" else self._size(kind))

    def _array(self) -> None:
        mark = self._take(1)
        size = self._size(self._take(1)) if mark == b"$" else None  # of numbers of one type
        if (mark if size is None else self._take(1)) != b"#":
            raise ValueError(f"an array has no count at byte {self.at:,}")
        count = self._count()
        if size is None:
            self.around.append(count)
        else:
            self._take(size * count)

    def _count(self) -> int:
        if self._take(1) != b"L":
            raise ValueError(f"a length is missing at byte {self.at:,}")
        found: int = struct.unpack(">q", self._take(8))[0]
        return found

    def _size(self, kind: bytes) -> int:
        if kind not in SIZES:
            raise ValueError(f"no value begins so at byte {self.at:,}")
        return SIZES[kind]

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise ValueError(f"it is cut short after byte {self.at:,}")
        found = self.data[self.at : end]
        self.at = end
        return found
