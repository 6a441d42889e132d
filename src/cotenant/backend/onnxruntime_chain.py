"""Segmented of a network in ONNX Runtime: run one after the other, in buffers that are used again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from cotenant.backend.library import complaint
from cotenant.backend.onnxruntime_options import failures
from cotenant.describe import OUTPUTS, Array
from cotenant.errors import BackendError

ALIGNED_BYTES = 64
"""Where a buffer begins: at a cache line, as vector instructions like it."""

DTYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int8)": "int8", "tensor(uint8)": "uint8",
    "tensor(int16)": "int16", "tensor(uint16)": "uint16", "tensor(int32)": "int32", "tensor(uint32)": "uint32", "tensor(int64)": "int64",
    "tensor(uint64)": "uint64", "tensor(bool)": "bool",
}  # fmt: skip
"""NumPy's names of the types that can be handed over in a buffer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """Name what one segment takes and gives, with NumPy type and shape."""

    session: Any
    takes: tuple[str, ...]
    gives: tuple[str, ...]


class Frame(dict[str, Array]):
    """Hold what one request has so far, by name, in buffers of its own; each segment is bound to them once."""

    __slots__ = ("bindings",)

    bindings: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Hold the loaded segments of one network, and the frames that are free; any number of requests may be under way."""

    segments: tuple[_Ends, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: Mapping[str, tuple[tuple[int, ...], np.dtype[np.generic]]]
    free: list[Frame] = field(default_factory=list)

    def begin(self, inputs: Mapping[str, Array]) -> Frame:
        """Return a frame with these inputs in it."""
        try:
            frame = self.free.pop()
        except IndexError:
            frame = self._framed()
        for name in self.inputs:
            frame[name][...] = inputs[name]
        return frame

    def end(self, frame: Frame) -> Mapping[str, Array]:
        """Return the answers, copied, and take the frame back."""
        answers = {name: frame[name].copy() for name in self.outputs}
        self.free.append(frame)
        return answers

    def _framed(self) -> Frame:
        frame = Frame(self._buffers())
        frame.bindings = tuple(self._bound(segment, frame) for segment in self.segments)
        return frame

    def _buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield an array for each tensor; those that nobody reads any more lend their memory to later ones."""
        last = {name: at for at, segment in enumerate(self.segments) for name in segment.takes} | dict.fromkeys(
            self.outputs, len(self.segments)
        )
        idle: list[Array] = []
        held: list[tuple[int, Array]] = []
        for at, names in enumerate(chain((self.inputs,), (segment.gives for segment in self.segments)), start=-1):
            idle += [memory for until, memory in held if until < at]
            held = [pair for pair in held if pair[0] >= at]
            for name in names:
                shape, dtype = self.tensors[name]
                size_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
                memory = _taken(idle, size_bytes)
                held.append((last.get(name, at), memory))
                yield name, memory[:size_bytes].view(dtype).reshape(shape)

    def _bound(self, segment: _Ends, frame: Frame) -> Any:
        binding = segment.session.io_binding()
        for names, bind in ((segment.takes, binding.bind_input), (segment.gives, binding.bind_output)):
            for name in names:
                array = frame[name]
                bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        return binding


def _taken(idle: list[Array], size_bytes: int) -> Array:
    """Take the smallest idle memory that is large enough, but not twice too large, or new one."""
    fit = [memory for memory in idle if size_bytes <= memory.nbytes <= 2 * size_bytes]
    if fit:
        found = min(fit, key=lambda memory: memory.nbytes)
        idle[:] = [memory for memory in idle if memory is not found]
        return found
    whole = np.empty(size_bytes + ALIGNED_BYTES, dtype=np.uint8)
    start = -whole.ctypes.data % ALIGNED_BYTES
    return whole[start : start + size_bytes]


class SegmentSession:
    """Run one segment: the first takes a request's inputs, the others what the one before returned; the last returns the answers."""

    __slots__ = ("_at", "_chain", "_session")

    def __init__(self, chain: Chain, at: int) -> None:
        self._chain: Chain | None = chain
        self._at = at
        self._session = chain.segments[at].session

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the segment in the buffers of the request; BackendError if the library refuses."""
        whole = self._chain
        if whole is None:
            raise BackendError("onnxruntime", "the session is closed")
        try:
            frame = inputs if isinstance(inputs, Frame) else whole.begin(inputs)
            self._session.run_with_iobinding(frame.bindings[self._at])
        except failures() as error:
            raise BackendError("onnxruntime", complaint(error)) from error
        return whole.end(frame) if self._at + 1 == len(whole.segments) else frame

    def close(self) -> None:
        """Let go of the segment; its memory is freed once no thread runs on it."""
        self._chain, self._session = None, None


def chained(sessions: Sequence[Any]) -> tuple[SegmentSession, ...]:
    """Join loaded segments; BackendError where one takes what none before it gives, or a tensor that has no fixed shape."""
    segments = tuple(
        _Ends(session=s, takes=tuple(i.name for i in s.get_inputs()), gives=tuple(o.name for o in s.get_outputs())) for s in sessions
    )
    given: set[str] = set()
    inputs: list[str] = []
    for segment in segments:
        inputs += [name for name in segment.takes if name not in given and name not in inputs]
        given |= set(segment.gives)
    outputs = tuple(json.loads(sessions[-1].get_modelmeta().custom_metadata_map[OUTPUTS]))
    tensors = {end.name: _shaped(end) for s in sessions for end in (*s.get_inputs(), *s.get_outputs())}
    whole = Chain(segments=segments, inputs=tuple(inputs), outputs=outputs, tensors=tensors)
    return tuple(SegmentSession(whole, at) for at in range(len(segments)))


def _shaped(end: Any) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    if end.type not in DTYPES or not all(isinstance(size, int) for size in end.shape):
        raise BackendError("onnxruntime", f"{end.name} is a {end.type} {end.shape}; segments hand over tensors of fixed shape")
    return tuple(end.shape), np.dtype(DTYPES[end.type])
