"""Inputs to calibrate, to judge and to time with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Array, Judged, Model, Tenant, Tensor
from cotenant.errors import InputError
from cotenant.profile.arrays import file_digest, read_array, read_arrays

SEED: Final = 7
FEWEST: Final = 2
"""One sample has no mean to be centred by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Hold inputs by name, samples on the first axis, with their labels, or None.

    A sample has the shape of the model's input, less its batch axis where that is 1. `judged` is what a fidelity measured on
    them is worth.
    """

    inputs: Mapping[str, Array]
    tensors: tuple[Tensor, ...]
    judged: Judged
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values()))) if self.inputs else 0

    def request(self, index: int) -> dict[str, Array]:
        """Return one sample in the shapes that the model takes; samples are used in turn, for ever."""
        index %= len(self)
        return {t.name: one(self.inputs[t.name], index, t.shape) for t in self.tensors}

    def part(self, start: int, stop: int) -> Samples:
        """Return the samples from `start` up to `stop`."""
        labels = None if self.labels is None else self.labels[start:stop]
        return replace(self, inputs={name: array[start:stop] for name, array in self.inputs.items()}, labels=labels)

    def split(self, calibrating: int, judging: int) -> tuple[Samples, Samples]:
        """Return at most that many to calibrate and to judge, none in both; of a few, two judge before one calibrates.

        With fewer than two, none judges.
        """
        total = len(self)
        judges = min(judging, max(FEWEST, total // 2)) if total >= FEWEST else 0
        return self.part(judges, min(total, judges + calibrating)), self.part(0, judges)


def one(stacked: Array, index: int, shape: tuple[int, ...]) -> Array:
    """Return one of the arrays that are stacked along the first axis, in this shape; one string by itself is an array, too."""
    return np.ascontiguousarray(stacked[index], dtype=stacked.dtype).reshape(shape)


def samples_key(tenant: Tenant) -> str:
    """Hash where the samples come from, without reading more of them than their bytes; InputError if a file is not there."""
    source = tenant.source
    found = hashlib.sha256(repr(SEED).encode())
    for path in (source.samples, source.labels):
        found.update(b"" if path is None else file_digest(path))
    if source.samples is None and source.is_zoo:
        from cotenant.graph import zoo

        found.update(f"{source.model} {zoo.VERSION}".encode())
    return found.hexdigest()[:16]


def samples_of(tenant: Tenant, model: Model, count: int) -> Samples:
    """Return up to `count` samples: the user's, else the zoo's, else generated ones, which can be timed but judge nothing.

    InputError, naming the file and the input, for samples that do not fit the model.
    """
    if tenant.source.samples is not None:
        return _from_files(tenant.source.samples, tenant.source.labels, model, count)
    if tenant.source.is_zoo:
        return _from_zoo(tenant.source.model.removeprefix("zoo:"), model, count)
    return generated(model, count)


def generated(model: Model, count: int) -> Samples:
    """Draw inputs of the right shapes: normal numbers, and for integers and booleans 0 and 1, which index any table of two."""
    rng = np.random.default_rng(SEED)
    inputs = {t.name: _draw(t, count, rng) for t in model.inputs}
    return Samples(inputs=inputs, tensors=model.inputs, judged=Judged.UNKNOWN)


def _draw(tensor: Tensor, count: int, rng: np.random.Generator) -> Array:
    shape = (count, *_sample_shape(tensor))
    dtype = np.dtype(tensor.dtype)
    if dtype.kind in "iub":
        return rng.integers(0, 2, shape).astype(dtype)
    return rng.standard_normal(shape, dtype=np.float32).astype(dtype)


def _from_zoo(name: str, model: Model, count: int) -> Samples:
    from cotenant.graph import zoo

    return Samples(inputs=zoo.samples(name, count, SEED), tensors=model.inputs, judged=Judged.GENERATED)


def _from_files(path: str, labels_path: str | None, model: Model, count: int) -> Samples:
    arrays = read_arrays(path, tuple(t.name for t in model.inputs))
    inputs = {t.name: _fitted(f"{path}[{t.name}]", arrays[t.name], t) for t in model.inputs}
    total = _common_length(path, inputs)
    labels = None if labels_path is None else _labels(labels_path, total)
    chosen = np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)  # evenly: files are often sorted by class
    picked = {name: array[chosen] for name, array in inputs.items()}
    judged = Judged.SAMPLES if total >= FEWEST else Judged.UNKNOWN
    return Samples(inputs=picked, tensors=model.inputs, judged=judged, labels=None if labels is None else labels[chosen])


def _fitted(place: str, array: Array, tensor: Tensor) -> Array:
    """Return the samples in the model's type and shape; InputError for what cannot be had without loss."""
    if array.ndim < 1 or array.shape[1:] not in (_sample_shape(tensor), tensor.shape):
        shapes = " or ".join(dict.fromkeys(f"(n, {', '.join(map(str, s))})" for s in (tensor.shape, _sample_shape(tensor))))
        raise InputError(place, f"shape {array.shape}", f"{shapes}, n samples along the first axis")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError(place, "not a number in it", "numbers")
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "O" and array.dtype.kind == "S":
        array = _text(place, array)
    cast = array.astype(dtype) if np.can_cast(array.dtype, dtype, "same_kind") else None
    if cast is None or (dtype.kind in "iu" and not np.array_equal(cast, array)):
        raise InputError(place, array.dtype, f"{dtype}, or what converts to it without loss")
    return cast.reshape(len(array), *_sample_shape(tensor))


def _text(place: str, array: Array) -> Array:
    try:
        return np.char.decode(array.astype(np.bytes_), "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(place, "bytes that are no text", "text, or its UTF-8") from error


def _sample_shape(tensor: Tensor) -> tuple[int, ...]:
    return tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape


def _common_length(path: str, inputs: Mapping[str, Array]) -> int:
    lengths = {name: len(array) for name, array in inputs.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        counted = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(path, f"samples: {counted}", "as many for every input, and at least one")
    return next(iter(lengths.values()))


def _labels(path: str, total: int) -> NDArray[np.int64]:
    labels = read_array(path)
    if labels.shape != (total,) or labels.dtype.kind not in "iu":
        raise InputError(path, f"{labels.dtype} {labels.shape}", f"one class index for each of {total} samples")
    return labels.astype(np.int64)
