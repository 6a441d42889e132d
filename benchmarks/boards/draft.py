"""Layers of a network, counted as they are put behind one another."""

from __future__ import annotations

import math
from typing import NamedTuple

FP32_BYTES = 4
SOFTMAX_FLOP = 5

Kernel = int | tuple[int, int]


class Shape(NamedTuple):
    """A tensor of one image."""

    channels: int
    height: int
    width: int

    @property
    def elements(self) -> int:
        return self.channels * self.height * self.width


class Unit(NamedTuple):
    """A segment: what it computes, holds, reads and writes; `touched_bytes` is all that its layers move, inner tensors included."""

    name: str
    flop: int
    weight_bytes: int
    input_bytes: int
    output_bytes: int
    touched_bytes: int

    @property
    def bytes(self) -> int:
        return self.weight_bytes + self.input_bytes + self.output_bytes


class Draft:
    """Count a network's layers, segment by segment, as `cotenant.graph` counts them in ONNX files.

    A multiply-add is 2 flop; normalisations behind convolutions are folded into them and leave a bias. Every layer goes on `shape`;
    `at` goes back to an earlier tensor. Functions of `act` cost that much flop an element and move nothing.
    """

    def __init__(self, channels: int, side: int) -> None:
        self.shape = Shape(channels, side, side)
        self.units: list[Unit] = []
        self._entry = self.shape.elements
        self._flop = self._weights = self._touched = 0

    def at(self, shape: Shape) -> Draft:
        self.shape = shape
        return self

    def conv(self, channels: int, kernel: Kernel, stride: int = 1, pad: int | None = None, *, groups: int = 1, act: int = 1) -> Draft:
        """Convolve; without `pad` a stride of 1 keeps the size."""
        high, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
        before = self.shape
        height = (before.height + 2 * (high // 2 if pad is None else pad) - high) // stride + 1
        width = (before.width + 2 * (wide // 2 if pad is None else pad) - wide) // stride + 1
        taps = before.channels // groups * high * wide
        return self._layer(Shape(channels, height, width), flop_each=2 * taps + 1 + act, weights=channels * (taps + 1))

    def depthwise(self, kernel: int, stride: int = 1, *, act: int = 1) -> Draft:
        return self.conv(self.shape.channels, kernel, stride, groups=self.shape.channels, act=act)

    def dense(self, channels: int, *, act: int = 0) -> Draft:
        """Connect all to all."""
        return self._layer(Shape(channels, 1, 1), 2 * self.shape.elements + 1 + act, channels * (self.shape.elements + 1))

    def pool(self, kernel: int, stride: int, pad: int = 0, *, ceil: bool = True) -> Draft:
        rounded = math.ceil if ceil else math.floor
        height, width = (rounded((side + 2 * pad - kernel) / stride) + 1 for side in self.shape[1:])
        return self._layer(Shape(self.shape.channels, height, width), kernel * kernel)

    def average(self) -> Draft:
        """Average each channel over the whole plane."""
        return self._layer(Shape(self.shape.channels, 1, 1), self.shape.height * self.shape.width)

    def each(self) -> Draft:
        """Compute something of each element by itself or of its neighbours in other channels, at 1 flop."""
        return self._layer(self.shape, 1)

    def softmax(self) -> Draft:
        return self._layer(self.shape, SOFTMAX_FLOP)

    def add(self, *, act: int = 0, flop: int = 1) -> Draft:
        """Add another tensor of this shape, or multiply by one."""
        self._touched += self.shape.elements
        return self._layer(self.shape, flop + act)

    def copy(self) -> Draft:
        return self._layer(self.shape, 0)

    def upsample(self, factor: int) -> Draft:
        return self._layer(Shape(self.shape.channels, self.shape.height * factor, self.shape.width * factor), 0)

    def joined(self, channels: int) -> Draft:
        """Go on with `channels` of what stands side by side; nothing is copied."""
        return self.at(self.shape._replace(channels=channels))

    def close(self, name: str, *, reads: int = 0, entry: int | None = None) -> Draft:
        """End a segment; it reads its predecessor's output, or `entry` elements, and `reads` more."""
        read = (self._entry if entry is None else entry) + reads
        sizes = (self._weights, read, self.shape.elements, self._touched)
        self.units.append(Unit(name, self._flop, *(FP32_BYTES * size for size in sizes)))
        self._flop = self._weights = self._touched = 0
        self._entry = self.shape.elements
        return self

    def _layer(self, after: Shape, flop_each: int, weights: int = 0) -> Draft:
        self._flop += flop_each * after.elements
        self._weights += weights
        self._touched += weights + self.shape.elements + after.elements
        return self.at(after)
