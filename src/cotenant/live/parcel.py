"""Tensors handed to another process in shared memory."""

from __future__ import annotations

import mmap
import os
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cotenant.describe import Array

ALIGNED_BYTES = 64
"""Where a tensor begins: at a cache line, as engines like it."""

_LEAST_BYTES = 1 << 16
_PLAIN = "biufc"  # numpy's kinds whose bytes are all there is to them
_PICKLED = ""


class Place(NamedTuple):
    """Say where a tensor lies; without a dtype the bytes there are a pickled value, text for one."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """Hold how tensors were laid out: what they must be alike, and where each goes."""

    alike: tuple[object, ...]
    views: tuple[Array, ...]


class Sender:
    """Write tensors into memory of one's own that grows as needed; what lies where is told once for each `key`.

    Only when what was packed before has been taken may be packed again.
    """

    __slots__ = ("_laid", "_memory")

    def __init__(self) -> None:
        self._memory: mmap.mmap | None = None
        self._laid: dict[int, _Laid] = {}

    def pack(self, key: int, tensors: Mapping[str, Any]) -> tuple[bytes, tuple[int, ...]]:
        """Write values by name; return what the receiver must be told, and file descriptors to send along and then to close.

        Nothing need be told where names, types and shapes are as the last time with this key. Values that are no arrays of numbers
        are pickled.
        """
        laid = self._laid.get(key)
        if laid is not None and laid.alike == tuple(_likeness(name, value) for name, value in tensors.items()):
            for view, array in zip(laid.views, tensors.values(), strict=True):
                view[...] = array
            return b"", ()
        return self._lay(key, tensors)

    def _lay(self, key: int, tensors: Mapping[str, Any]) -> tuple[bytes, tuple[int, ...]]:
        self._laid.pop(key, None)
        plain = {name: _plain(value) for name, value in tensors.items()}
        places, size_bytes = _places(plain, frozenset(name for name, array in plain.items() if array is not tensors[name]))
        descriptors = self._grow(size_bytes)
        views = tuple(_view(self._memory, place) for place in places)
        for view, array in zip(views, plain.values(), strict=True):
            view[...] = array
        if all(place.dtype != _PICKLED for place in places):
            self._laid[key] = _Laid(alike=tuple(_likeness(name, value) for name, value in tensors.items()), views=views)
        return msgspec.msgpack.encode(places), descriptors

    def _grow(self, size_bytes: int) -> tuple[int, ...]:
        """Make sure of so much memory; what was told of smaller one is void."""
        if self._memory is not None and size_bytes <= len(self._memory):
            return ()
        self._laid.clear()
        descriptor = os.memfd_create("cotenant")
        length = max(_LEAST_BYTES, 1 << (size_bytes - 1).bit_length() if size_bytes else 0)
        os.ftruncate(descriptor, length)
        self._memory = mmap.mmap(descriptor, length)
        return (descriptor,)


class Receiver:
    """Read what a sender wrote."""

    __slots__ = ("_known", "_memory")

    def __init__(self) -> None:
        self._memory: mmap.mmap | None = None
        self._known: dict[int, tuple[tuple[Place, Array], ...]] = {}

    def unpack(self, key: int, told: bytes, descriptors: tuple[int, ...]) -> Iterator[tuple[str, Any, bool]]:
        """Yield names and values, and whether a value lies in the shared memory: then it holds until the sender's next one.

        The descriptors are closed.
        """
        for descriptor in descriptors:
            self._memory = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
            self._known.clear()
            os.close(descriptor)
        if told:
            places = msgspec.msgpack.decode(told, type=list[Place])
            self._known[key] = tuple((place, _view(self._memory, place)) for place in places)
        for place, view in self._known[key]:
            shared = place.dtype != _PICKLED
            yield place.name, view if shared else pickle.loads(view.tobytes()), shared  # noqa: S301  # written by a process of ours

    def views(self, key: int, told: bytes, descriptors: tuple[int, ...]) -> dict[str, Any]:
        """Return the values where they lie."""
        return {name: value for name, value, _ in self.unpack(key, told, descriptors)}

    def copies(self, key: int, told: bytes, descriptors: tuple[int, ...]) -> dict[str, Any]:
        """Return the values in memory of the caller's own."""
        return {name: value.copy() if shared else value for name, value, shared in self.unpack(key, told, descriptors)}


def _likeness(name: str, value: Any) -> object:
    return (name, value.dtype, value.shape) if isinstance(value, np.ndarray) else None


def _plain(value: Any) -> Array:
    if isinstance(value, np.ndarray) and value.dtype.kind in _PLAIN:
        return value
    return np.frombuffer(pickle.dumps(value), dtype=np.uint8)


def _places(plain: Mapping[str, Array], pickled: frozenset[str]) -> tuple[list[Place], int]:
    """Lay arrays out one after the other; return where they lie, and how many bytes they take."""
    places, size_bytes = [], 0
    for name, array in plain.items():
        places.append(Place(name, _PICKLED if name in pickled else array.dtype.str, array.shape, size_bytes))
        size_bytes += -(-array.nbytes // ALIGNED_BYTES) * ALIGNED_BYTES
    return places, size_bytes


def _view(memory: mmap.mmap | None, place: Place) -> Array:
    assert memory is not None
    return np.ndarray(place.shape, dtype=place.dtype or np.uint8, buffer=memory, offset=place.offset)
