"""A network under construction, evaluated while it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from cotenant.graph.zoo import operators, weights
from cotenant.graph.zoo.operators import Floats

OPSET: Final = 17
IR_VERSION: Final = 8


@dataclass(frozen=True, slots=True)
class Value:
    """Name a tensor of the graph, with what it holds for the samples, whose axis takes the place of the batch."""

    name: str
    array: NDArray[Any]

    @property
    def channels(self) -> int:
        return int(self.array.shape[1])


@dataclass(frozen=True, slots=True)
class Window:
    """Slide a square kernel; the padding is the same on all four sides."""

    kernel: int
    stride: int = 1
    pad: int = 0

    def attributes(self) -> dict[str, list[int]]:
        return {"kernel_shape": [self.kernel] * 2, "strides": [self.stride] * 2, "pads": [self.pad] * 4}


@dataclass(frozen=True, slots=True)
class Spread:
    """Set the mean and the standard deviation of each channel over the samples."""

    mean: float
    std: float = 1.0


ACTIVE: Final = Spread(0.7)
"""Before a ReLU: three quarters of the channels are on, as after batch normalisation with a trained shift."""
CENTRED: Final = Spread(0.0)
POINT: Final = Window(1)


def same(kernel: int, stride: int = 1) -> Window:
    """Pad so that a stride of 1 keeps the size."""
    return Window(kernel, stride, kernel // 2)


@dataclass(slots=True, kw_only=True)
class Sketch:
    """Draw a graph node by node; every weight is normalised on the samples as soon as it is drawn."""

    rng: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, op: str, inputs: Sequence[str], array: NDArray[Any], **attributes: Any) -> Value:
        """Append a node whose one output holds `array`."""
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return Value(name, array)

    def weight(self, array: NDArray[Any]) -> str:
        """Append an initializer and return its name."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def conv(self, x: Value, out: int, window: Window = POINT, spread: Spread = ACTIVE) -> Value:
        """Convolve, with a bias."""
        drawn = weights.filters(self.rng, x.array, out, window.kernel)
        array = operators.conv(x.array, drawn, stride=window.stride, pad=window.pad)
        return self._convolved(x, drawn, array, spread, group=1, **window.attributes())

    def depthwise(self, x: Value, window: Window, spread: Spread = ACTIVE) -> Value:
        """Convolve each channel by itself, with a bias."""
        drawn = weights.depthwise(self.rng, x.array, window.kernel)
        array = operators.depthwise(x.array, drawn, stride=window.stride, pad=window.pad)
        return self._convolved(x, drawn, array, spread, group=x.channels, **window.attributes())

    def _convolved(self, x: Value, drawn: Floats, array: Floats, spread: Spread, **attributes: int | list[int]) -> Value:
        scale, shift = weights.moments(array, 1, spread.mean, spread.std)
        drawn *= scale[:, None, None, None]
        array = array * _across(scale) + _across(shift)
        return self.add("Conv", [x.name, self.weight(drawn), self.weight(shift)], array, **attributes)

    def widen(self, x: Value, out: int, kernel: int, spread: Spread = CENTRED) -> Value:
        """Upsample by a transposed convolution whose stride is its kernel, with a bias."""
        drawn = weights.filters(self.rng, x.array, out * kernel**2, 1).reshape(out, kernel, kernel, -1).transpose(3, 0, 1, 2)
        array = operators.conv_transpose(x.array, drawn)
        scale, shift = weights.moments(array, 1, spread.mean, spread.std)
        array = array * _across(scale) + _across(shift)
        names = self.weight(drawn * _across(scale)), self.weight(shift)
        return self.add("ConvTranspose", [x.name, *names], array, **Window(kernel, kernel).attributes())

    def gemm(self, x: Value, out: int, spread: Spread = ACTIVE) -> Value:
        """Multiply [n, k] by a weight, with a bias."""
        drawn = weights.matrix(self.rng, x.array, out)
        array = x.array @ drawn.T
        scale, shift = weights.moments(array, -1, spread.mean, spread.std)
        drawn *= scale[:, None]
        return self.add("Gemm", [x.name, self.weight(drawn), self.weight(shift)], array * scale + shift, transB=1)

    def project(self, x: Value, out: int, spread: Spread = CENTRED) -> Value:
        """Multiply the last axis of [n, s, k] by a weight, and add a bias."""
        drawn = weights.matrix(self.rng, x.array.reshape(-1, x.array.shape[-1]), out)
        array = x.array @ drawn.T
        scale, shift = weights.moments(array, -1, spread.mean, spread.std)
        product = self.add("MatMul", [x.name, self.weight(np.ascontiguousarray((drawn * scale[:, None]).T))], array * scale)
        return self.sum(product, Value(self.weight(shift), shift))

    def relu(self, x: Value) -> Value:
        return self.add("Relu", [x.name], np.maximum(x.array, np.float32(0)))

    def relu6(self, x: Value) -> Value:
        low, high = self.weight(np.array(0, np.float32)), self.weight(np.array(6, np.float32))
        return self.add("Clip", [x.name, low, high], np.clip(x.array, 0, 6))

    def sigmoid(self, x: Value) -> Value:
        return self.add("Sigmoid", [x.name], operators.sigmoid(x.array))

    def silu(self, x: Value) -> Value:
        return self.mul(x, self.sigmoid(x))

    def constant(self, array: NDArray[Any]) -> Value:
        """Append an initializer to compute with."""
        return Value(self.weight(array), array)

    def sum(self, a: Value, b: Value) -> Value:
        return self.add("Add", [a.name, b.name], a.array + b.array)

    def less(self, a: Value, b: Value) -> Value:
        return self.add("Sub", [a.name, b.name], a.array - b.array)

    def mul(self, a: Value, b: Value) -> Value:
        return self.add("Mul", [a.name, b.name], a.array * b.array)

    def concat(self, *values: Value, axis: int = 1) -> Value:
        return self.add("Concat", [v.name for v in values], np.concatenate([v.array for v in values], axis), axis=axis)

    def halves(self, x: Value) -> tuple[Value, Value]:
        """Split axis 1 in two."""
        names = [f"Split_{len(self.nodes)}_{half}" for half in (0, 1)]
        self.nodes.append(helper.make_node("Split", [x.name], names, name=f"Split_{len(self.nodes)}", axis=1))
        first, second = np.split(x.array, 2, axis=1)
        return Value(names[0], first), Value(names[1], second)

    def max_pool(self, x: Value, window: Window) -> Value:
        array = operators.max_pool(x.array, window.kernel, window.stride, window.pad)
        return self.add("MaxPool", [x.name], array, **window.attributes())

    def global_mean(self, x: Value) -> Value:
        return self.add("GlobalAveragePool", [x.name], x.array.mean((2, 3), keepdims=True))

    def flatten(self, x: Value) -> Value:
        return self.add("Flatten", [x.name], x.array.reshape(len(x.array), -1))

    def double(self, x: Value) -> Value:
        """Repeat every row and column."""
        scales = self.weight(np.array([1, 1, 2, 2], np.float32))
        array = x.array.repeat(2, axis=2).repeat(2, axis=3)
        names = [x.name, "", scales]
        return self.add("Resize", names, array, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def reshape(self, x: Value, *shape: int) -> Value:
        """Reshape all but the batch."""
        return self.add("Reshape", [x.name, self.weight(np.array([1, *shape], np.int64))], x.array.reshape(len(x.array), *shape))

    def transpose(self, x: Value, *axes: int) -> Value:
        return self.add("Transpose", [x.name], x.array.transpose(axes), perm=axes)

    def softmax(self, x: Value, axis: int) -> Value:
        return self.add("Softmax", [x.name], operators.softmax(x.array, axis), axis=axis)

    def model(self, name: str, inputs: tuple[str, NDArray[Any]], outputs: Mapping[str, Value]) -> onnx.ModelProto:
        """Close the graph at a batch of 1: one input, named as the value that the drawing began with; outputs renamed."""
        fresh = {value.name: name for name, value in outputs.items()}
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [fresh.get(old, old) for old in names]
        ends = [_described(*inputs)], [_described(name, value.array) for name, value in outputs.items()]
        graph = helper.make_graph(self.nodes, name, *ends, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="cotenant")


def _described(name: str, array: NDArray[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), [1, *array.shape[1:]])


def _across(channels: Floats) -> Floats:
    return channels[None, :, None, None]
