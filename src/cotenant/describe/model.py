"""A network as counted from its file."""

from __future__ import annotations

import math
from dataclasses import dataclass

_ITEM_BYTES = {
    "float64": 8, "int64": 8, "uint64": 8, "float32": 4, "int32": 4, "uint32": 4, "float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """Name an input or output, with its numpy dtype and its static shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * _ITEM_BYTES.get(self.dtype, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Count one operator: a multiply-add is 2 flop; bytes are those of fp32 tensors as stored in the file."""

    name: str
    op: str
    flop: int
    weight_bytes: int
    input_bytes: int
    output_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Mark a legal place to split: before layer `position`, with the tensors that must be handed over."""

    position: int
    tensors: tuple[str, ...]
    live_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Hold a network: layers in topological order, edges as pairs of layer indices, legal cuts.

    `digest` is the SHA-256 (hex) of the file with its external data; a model with `shapes` given has another digest.
    """

    name: str
    digest: str
    layers: tuple[Layer, ...]
    edges: tuple[tuple[int, int], ...]
    cuts: tuple[Cut, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parameters: int

    @property
    def flop(self) -> int:
        return sum(layer.flop for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        return sum(layer.weight_bytes for layer in self.layers)
