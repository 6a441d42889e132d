"""Flop of an operator, from its shapes.

A multiply-add is 2. What moves data and computes nothing takes none; what is not listed takes one for each element that
it writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Hold what a count depends on; a shape is None where an input is absent or its shape unknown."""

    op: str
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape | None, ...]
    attributes: Mapping[str, Any]

    def input(self, index: int) -> Shape:
        shape = self.inputs[index] if index < len(self.inputs) else None
        return shape if shape is not None else ()

    def size(self, index: int) -> int:
        return math.prod(self.input(index)) if self.has(index) else 0

    def has(self, index: int) -> bool:
        return index < len(self.inputs) and self.inputs[index] is not None

    @property
    def output(self) -> Shape | None:
        return self.outputs[0] if self.outputs else None

    @property
    def written(self) -> int:
        return sum(math.prod(shape) for shape in self.outputs if shape is not None)


def _conv(operator: Operator) -> int:
    weight = operator.input(3 if operator.op == "QLinearConv" else 1)
    bias = operator.has(2) and operator.op == "Conv"
    return operator.written * (2 * math.prod(weight[1:]) + bias)


def _conv_transpose(operator: Operator) -> int:
    return 2 * operator.size(0) * math.prod(operator.input(1)[1:]) + operator.written * operator.has(2)


def _gemm(operator: Operator) -> int:
    rows = operator.input(0)
    inner = rows[0 if operator.attributes.get("transA") else -1] if rows else 0
    return operator.written * (2 * inner + operator.has(2))


def _matmul(operator: Operator) -> int:
    rows = operator.input(0)
    return operator.written * 2 * (rows[-1] if rows else 0)


def _pool(operator: Operator) -> int:
    window = math.prod(operator.attributes.get("kernel_shape", ()))
    return window * math.prod(operator.output) if operator.output is not None else 0


def _read(operator: Operator) -> int:
    return operator.size(0)


def _resize(operator: Operator) -> int:
    before, after = operator.input(0), operator.output or ()
    changed = sum(a != b for a, b in zip(before, after, strict=False))
    taps = {"linear": 2, "cubic": 4}.get(operator.attributes.get("mode", "nearest"), 0)
    return 2 * operator.written * taps**changed if taps else 0


def _recurrent(operator: Operator) -> int:
    return 2 * math.prod(operator.input(0)[:2]) * (operator.size(1) + operator.size(2))


def _einsum(operator: Operator) -> int:
    terms = operator.attributes.get("equation", "").replace(" ", "").partition("->")[0].split(",")
    if "..." in "".join(terms):
        return operator.written
    sizes = {axis: size for term, shape in zip(terms, operator.inputs, strict=False) for axis, size in zip(term, shape or (), strict=False)}
    return 2 * math.prod(sizes.get(axis, 0) for axis in {*"".join(terms)})


def _linear(operator: Operator) -> int:
    return 2 * math.prod(operator.input(0)[:-1]) * operator.has(0) * len(operator.attributes.get("coefficients", ()))


def _each(flop: int) -> Callable[[Operator], int]:
    return lambda operator: flop * _read(operator)


SOFTMAX_FLOP: Final = 5
"""Greatest, difference, exponential, sum, quotient."""
NORMALISATION_FLOP: Final = 7
"""Sum, difference, square, sum, quotient, scale, shift."""

_MOVES: Final = (
    "Cast", "CastLike", "Compress", "Concat", "ConstantOfShape", "DepthToSpace", "Dropout", "Expand", "Flatten", "Gather", "GatherElements",
    "GatherND", "Identity", "OneHot", "Pad", "Reshape", "ReverseSequence", "Scatter", "ScatterElements", "ScatterND", "Shape", "Size",
    "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze", "Where", "ZipMap",
)  # fmt: skip
_REDUCES: Final = (
    "ArgMax", "ArgMin", "CumSum", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "TopK",
)  # fmt: skip
_NORMALISES: Final = (
    "GroupNormalization", "InstanceNormalization", "LayerNormalization", "LpNormalization", "MeanVarianceNormalization", "RMSNormalization",
)  # fmt: skip

_COUNTS: Final[Mapping[str, Callable[[Operator], int]]] = {
    "Conv": _conv, "ConvInteger": _conv, "QLinearConv": _conv, "ConvTranspose": _conv_transpose,
    "Gemm": _gemm, "MatMul": _matmul, "MatMulInteger": _matmul, "QLinearMatMul": _matmul, "Einsum": _einsum,
    "MaxPool": _pool, "AveragePool": _pool, "LpPool": _pool, "Resize": _resize, "Upsample": _resize,
    "LSTM": _recurrent, "GRU": _recurrent, "RNN": _recurrent, "LinearClassifier": _linear, "LinearRegressor": _linear,
    "BatchNormalization": _each(2), "Softmax": _each(SOFTMAX_FLOP), "LogSoftmax": _each(SOFTMAX_FLOP),
    **dict.fromkeys(_NORMALISES, _each(NORMALISATION_FLOP)), **dict.fromkeys(_REDUCES, _read), **dict.fromkeys(_MOVES, _each(0)),
}  # fmt: skip


def flop(operator: Operator) -> int:
    """Count one operator."""
    count = _COUNTS.get(operator.op)
    return operator.written if count is None else count(operator)
