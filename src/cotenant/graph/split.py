"""A network taken apart: segments that run one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from cotenant.describe import OUTPUTS, Cut, Tensor
from cotenant.graph.cuts import cuts
from cotenant.graph.network import taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Hold a network whose nodes have names of their own, in topological order; its operators may be an engine's own.

    What shapes its tensors have is not read from it: an engine that has loaded it knows.
    """

    proto: onnx.ModelProto

    @classmethod
    def read(cls, path: Path) -> Whole:
        """Read a file with its external data, without nodes that nobody reads, and name the others."""
        proto = onnx.load_model(str(path), format="protobuf")
        nodes = _needed(proto.graph)
        del proto.graph.node[:]
        proto.graph.node.extend(nodes)
        for index, node in enumerate(proto.graph.node):
            node.name = f"n{index}"
        return cls(proto=proto)

    @property
    def nodes(self) -> tuple[onnx.NodeProto, ...]:
        return tuple(self.proto.graph.node)

    @property
    def constants(self) -> frozenset[str]:
        graph = self.proto.graph
        return frozenset((*(t.name for t in graph.initializer), *(t.values.name for t in graph.sparse_initializer)))

    @property
    def inputs(self) -> list[str]:
        """Name what is asked of whoever runs it."""
        constants = self.constants
        return [value.name for value in self.proto.graph.input if value.name not in constants]

    @property
    def reads(self) -> list[list[str]]:
        """Name what each node takes, constants left out."""
        constants = self.constants
        return [[name for name in taken(node) if name not in constants] for node in self.nodes]

    @property
    def writes(self) -> list[list[str]]:
        return [[name for name in node.output if name] for node in self.nodes]

    def open(self) -> onnx.ModelProto:
        """Return the network with all that its nodes write among its outputs, so that an engine tells their types."""
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        known = {value.name for value in proto.graph.output}
        proto.graph.output.extend(onnx.ValueInfoProto(name=name) for names in self.writes for name in names if name not in known)
        return proto

    def cuts(self, tensors: Mapping[str, Tensor]) -> tuple[Cut, ...]:
        """List the legal cuts: what is handed over there are tensors of these, which have fixed shapes.

        There are none in a network of which an output is written by no node.
        """
        written = {name for names in self.writes for name in names}
        if not all(value.name in written for value in self.proto.graph.output):
            return ()
        return cuts(self.reads, self.writes, self.inputs, {name: tensor.size_bytes for name, tensor in tensors.items()})

    def segments(self, positions: Sequence[int], tensors: Mapping[str, Tensor]) -> Iterator[onnx.ModelProto]:
        """Yield the segments between the beginning, cuts before these nodes, and the end.

        A segment takes what it reads, and gives what is read after it or is an output of the network; each knows these (OUTPUTS).
        """
        reads, writes = self.reads, self.writes
        answers = {value.name for value in self.proto.graph.output}
        for first, last in pairwise((0, *positions, len(self.nodes))):
            own = {name for names in writes[first:last] for name in names}
            later = answers.union(*reads[last:])
            asked = dict.fromkeys(name for names in reads[first:last] for name in names if name not in own)
            given = [name for names in writes[first:last] for name in names if name in later]
            yield self._segment(self.nodes[first:last], [tensors[name] for name in asked], [tensors[name] for name in given])

    def _segment(self, nodes: Sequence[onnx.NodeProto], asked: Sequence[Tensor], given: Sequence[Tensor]) -> onnx.ModelProto:
        whole, names = self.proto, {name for node in nodes for name in taken(node)}
        graph = helper.make_graph(
            nodes, whole.graph.name, [_value(tensor) for tensor in asked], [_value(tensor) for tensor in given],
            [tensor for tensor in whole.graph.initializer if tensor.name in names],
            sparse_initializer=[tensor for tensor in whole.graph.sparse_initializer if tensor.values.name in names],
        )  # fmt: skip
        segment = helper.make_model(graph, opset_imports=whole.opset_import, functions=whole.functions, ir_version=whole.ir_version)
        helper.set_model_props(segment, {OUTPUTS: json.dumps([value.name for value in whole.graph.output])})
        return segment


def _needed(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """List the nodes on which an output depends, in their order."""
    wanted = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(taken(node))
            kept.append(node)
    return kept[::-1]


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype)), tensor.shape)
