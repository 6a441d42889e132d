"""Lists of rows: of objects for plain Python, packed in an array for compiled code."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

R = TypeVar("R")

Array = NDArray[Any]

_TYPES = {"int": np.int64, "float": np.float64}

_HEAD_BYTES = 64
"""What stands before the first row: their count is the last eight bytes of it. A line of the cache, so that rows begin with one."""


class Packed:
    """Hold rows or numbers in one array: a sequence for Python, a pointer for compiled code."""

    __slots__ = ("_count", "array", "data")

    def __init__(self, dtype: np.dtype[Any], count: int) -> None:
        """Make rows of nothing but zeros, which take no memory until they are written."""
        size = count * dtype.itemsize
        room = np.zeros(2 * _HEAD_BYTES + size, dtype=np.uint8)
        start = _HEAD_BYTES + -int(room.ctypes.data) % _HEAD_BYTES
        own = room[start : start + size].view(dtype)
        self._count = room[start - 8 : start].view(np.int64)
        self.array = own.view((np.record, dtype)) if dtype.names else own
        self.data = int(room.ctypes.data) + start
        self.length = count

    @classmethod
    def of(cls, array: Array, *, more: int = 0) -> Packed:
        """Return a copy of an array, with `more` rows of zeros behind it."""
        copy = cls(array.dtype, len(array) + more)
        copy.array[: len(array)] = array
        return copy

    @property
    def length(self) -> int:
        """Return how many rows there are, as far as compiled code is concerned."""
        return int(self._count[0])

    @length.setter
    def length(self, count: int) -> None:
        self._count[0] = count

    def copy(self) -> Packed:
        """Return the same rows once more."""
        return Packed.of(self.array)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        return self.array[index]


def dtype_of(row: type) -> np.dtype[np.void]:
    """Return the structured type of a row: 8 bytes a field."""
    return np.dtype([(field.name, _TYPES[str(field.type)]) for field in fields(row)])


def packed(rows: Sequence[Any], row: type | None = None) -> MutableSequence[Any]:
    """Pack rows of a type, or numbers: floats, if the first is one."""
    if row is None:
        return cast("MutableSequence[Any]", Packed.of(np.array(rows, dtype=np.float64 if isinstance(rows[0], float) else np.int64)))
    names = [field.name for field in fields(row)]
    return cast("MutableSequence[Any]", Packed.of(np.array([tuple(getattr(r, name) for name in names) for r in rows], dtype=dtype_of(row))))


def packed_columns(row: type, columns: Sequence[tuple[Any, ...]]) -> MutableSequence[Any]:
    """Pack rows that are given as tuples, in the order of the fields."""
    return cast("MutableSequence[Any]", Packed.of(np.array(columns, dtype=dtype_of(row))))


def packed_all(lists: Sequence[Sequence[Any]]) -> list[MutableSequence[Any]]:
    """Pack every list, none of which may be empty."""
    return [packed(rows, type(rows[0]) if is_dataclass(rows[0]) else None) for rows in lists]


def unwritten(row: type[R], count: int, *, compiled: bool) -> MutableSequence[R]:
    """Return a list of rows whose fields are all to be written before they are read."""
    if not compiled:
        return [row() for _ in range(count)]
    return cast("MutableSequence[R]", Packed(dtype_of(row), count))


def longer(rows: MutableSequence[R], row: type[R], count: int) -> MutableSequence[R]:
    """Return the list with `count` new rows at its end."""
    if isinstance(rows, list):
        rows.extend(row() for _ in range(count))
        return rows
    found = Packed.of(cast("Packed", rows).array, more=count)
    found.array[len(rows) :] = cast("Packed", packed([row()], row)).array
    return cast("MutableSequence[R]", found)


def roomier(rows: MutableSequence[R], row: type[R], count: int) -> MutableSequence[R]:
    """Return the list with room for `count` more rows, whose fields are all to be written before they are read."""
    if isinstance(rows, list):
        return longer(rows, row, count)
    return cast("MutableSequence[R]", Packed.of(cast("Packed", rows).array, more=count))


def array_of(rows: Sequence[Any], row: type, count: int) -> Array:
    """Return the first rows as a plain structured array."""
    found = rows.array if isinstance(rows, Packed) else cast("Packed", packed(rows[:count], row)).array
    return found[:count].view(dtype_of(row))


def link_free(slots: MutableSequence[Any], count: int) -> None:
    """Link the slots from `count` on, all of them free, into a list."""
    after = [*range(count + 1, len(slots)), -1]
    if isinstance(slots, Packed):
        slots.array["next"][count:] = after
        return
    for index, value in enumerate(after):
        slots[count + index].next = value
