"""A parsed network: its layers, and the tensors between them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
from onnx import TensorProto, helper

from cotenant.describe import Layer, Tensor
from cotenant.errors import InputError
from cotenant.graph.count import Operator, flop
from cotenant.graph.file import bodies, graphs
from cotenant.graph.values import dims_of, dtype_of, inputs_of

LEARNED: Final = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE, TensorProto.INT8, TensorProto.UINT8)
SETTINGS: Final = {
    "BatchNormalization": (3, 4), "Resize": (1, 2), "Upsample": (1,), "QuantizeLinear": (1, 2), "DequantizeLinear": (1, 2),
}  # fmt: skip
"""Inputs that say how to compute and are not learned; a running mean is a statistic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Hold the operators in topological order, every tensor of a known shape, and the names of the constants.

    `reads` and `writes` name what each operator takes and gives, constants and absent ones left out.
    """

    nodes: tuple[onnx.NodeProto, ...]
    tensors: dict[str, Tensor]
    constants: frozenset[str]
    stored: tuple[onnx.TensorProto, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @classmethod
    def of(cls, model: onnx.ModelProto, path: Path, where: str) -> Network:
        """Read a model whose shapes are inferred; InputError if something other than tensors goes in or comes out."""
        graph = model.graph
        return cls(
            nodes=tuple(node for node in graph.node if node.op_type != "Constant"),
            tensors=_tensors(graph),
            constants=_constants(graph),
            stored=tuple(tensor for inner in graphs(graph) for tensor in _stored(inner)),
            inputs=tuple(_end(value, "inputs", path, where) for value in inputs_of(graph)),
            outputs=tuple(_end(value, "outputs", path, where) for value in graph.output),
        )

    @property
    def reads(self) -> list[list[str]]:
        return [[name for name in taken(node) if name not in self.constants] for node in self.nodes]

    @property
    def writes(self) -> list[list[str]]:
        return [[name for name in node.output if name and name not in self.constants] for node in self.nodes]

    def sizes_bytes(self) -> dict[str, int]:
        """Size every tensor that can be handed over; strings cannot."""
        return {name: tensor.size_bytes for name, tensor in self.tensors.items() if tensor.dtype != "object"}

    def layers(self) -> tuple[Layer, ...]:
        """Count every operator."""
        return tuple(self._layer(index, node) for index, node in enumerate(self.nodes))

    def _layer(self, index: int, node: onnx.NodeProto) -> Layer:
        names = taken(node)
        return Layer(
            name=node.name or f"{node.op_type}_{index}",
            op=node.op_type,
            flop=self._flop(node),
            weight_bytes=self._bytes([name for name in names if name in self.constants]),
            input_bytes=self._bytes([name for name in names if name not in self.constants]),
            output_bytes=self._bytes(list(node.output)),
        )

    def _bytes(self, names: list[str]) -> int:
        return sum(self.tensors[name].size_bytes for name in names if name in self.tensors)

    def _flop(self, node: onnx.NodeProto) -> int:
        """Count a node; the bodies of a node that has some are counted once each instead."""
        inner = [self._flop(node) for body in bodies(node) for node in body.node]
        return sum(inner) if inner else flop(self._operator(node))

    def _operator(self, node: onnx.NodeProto) -> Operator:
        return Operator(
            op=node.op_type,
            inputs=tuple(self._shape(name) for name in node.input),
            outputs=tuple(self._shape(name) for name in node.output),
            attributes={a.name: _value(a) for a in node.attribute},
        )

    def _shape(self, name: str) -> tuple[int, ...] | None:
        return self.tensors[name].shape if name in self.tensors else None

    def parameters(self) -> int:
        """Count the learned numbers: stored tensors of one axis or more that are no settings."""
        settings = {node.input[index] for node in self.nodes for index in SETTINGS.get(node.op_type, ()) if index < len(node.input)}
        learned = (t for t in self.stored if t.data_type in LEARNED and t.dims and t.name not in settings)
        return sum(math.prod(tensor.dims) for tensor in learned)


def _value(attribute: onnx.AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def taken(node: onnx.NodeProto) -> list[str]:
    """Name what a node takes, once each, what its bodies capture included."""
    captured = [name for body in bodies(node) for name in _captured(body)]
    return list(dict.fromkeys(name for name in (*node.input, *captured) if name))


def _captured(body: onnx.GraphProto) -> list[str]:
    own = {value.name for value in body.input} | {t.name for t in body.initializer} | {name for node in body.node for name in node.output}
    names = [name for node in body.node for name in taken(node)] + [value.name for value in body.output]
    return [name for name in names if name not in own]


def _stored(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                tensor = onnx.TensorProto()
                tensor.CopyFrom(attribute.t)
                tensor.name = node.output[0]
                yield tensor


def _constants(graph: onnx.GraphProto) -> frozenset[str]:
    """Name what does not depend on an input."""
    found = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        names = taken(node)
        if all(name in found for name in names) and not node.op_type.startswith("Random"):
            found.update(name for name in node.output if name)
    return frozenset(found)


def _tensors(graph: onnx.GraphProto) -> dict[str, Tensor]:
    values = [v for g in graphs(graph) for v in (*g.input, *g.value_info, *g.output)]
    known = [tensor for value in values if (tensor := _tensor(value)) is not None]
    kept = [Tensor(name=t.name, dtype=dtype_of(t.data_type), shape=tuple(t.dims)) for g in graphs(graph) for t in _stored(g)]
    return {tensor.name: tensor for tensor in (*known, *kept)}


def _tensor(value: onnx.ValueInfoProto) -> Tensor | None:
    dims = dims_of(value)
    if dims is None or any(isinstance(dim, str) for dim in dims):
        return None
    return Tensor(name=value.name, dtype=dtype_of(value.type.tensor_type.elem_type), shape=tuple(int(dim) for dim in dims))


def _end(value: onnx.ValueInfoProto, side: str, path: Path, where: str) -> Tensor:
    """Describe an input or output; a size of an output that depends on data is 0."""
    if not value.type.HasField("tensor_type"):
        kind = (value.type.WhichOneof("value") or "unknown").removesuffix("_type")
        hint = " (skl2onnx: options={'zipmap': False})" if side == "outputs" else ""
        raise InputError(where, path, f"{side} that are tensors{hint}; {value.name} is a {kind}")
    dims = dims_of(value) or ()
    shape = tuple(dim if isinstance(dim, int) else 0 for dim in dims)
    return Tensor(name=value.name, dtype=dtype_of(value.type.tensor_type.elem_type), shape=shape)
