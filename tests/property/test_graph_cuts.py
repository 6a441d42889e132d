"""Cutting a network anywhere and handing over what is live gives what the whole gives."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.utils import Extractor

from cotenant.describe import Array, Model
from cotenant.graph import read_model

SHAPE = (2, 4)
FLOAT_BYTES = 4


@dataclass(slots=True)
class Drawn:
    """Grow a random graph of tensors that are all alike."""

    nodes: list[onnx.NodeProto]
    names: list[str]


def grow(graph: Drawn, op: str, first: str, second: str) -> None:
    index = len(graph.nodes)
    match op:
        case "halves":
            outputs = [f"t{index}_low", f"t{index}_high"]
            graph.nodes.append(helper.make_node("Split", [first], [f"{o}_part" for o in outputs], axis=1, name=f"n{index}"))
            for output in outputs:
                graph.nodes.append(helper.make_node("Concat", [f"{output}_part"] * 2, [output], axis=1, name=output))
            graph.names += outputs
        case "constant":
            value = numpy_helper.from_array(np.full(SHAPE, index, np.float32))
            graph.nodes.append(helper.make_node("Constant", [], [f"c{index}"], value=value, name=f"n{index}"))
            graph.nodes.append(helper.make_node("Neg", [f"c{index}"], [f"k{index}"], name=f"k{index}"))
            graph.nodes.append(helper.make_node("Add", [first, f"k{index}"], [f"t{index}"], name=f"t{index}"))
            graph.names.append(f"t{index}")
        case _:
            inputs = [first] if op == "Tanh" else [first, second]
            graph.nodes.append(helper.make_node(op, inputs, [f"t{index}"], name=f"n{index}"))
            graph.names.append(f"t{index}")


@st.composite
def networks(draw: st.DrawFn) -> onnx.ModelProto:
    inputs = [f"x{index}" for index in range(draw(st.integers(1, 2)))]
    graph = Drawn(nodes=[], names=[*inputs, "weight"])
    for _ in range(draw(st.integers(2, 6))):
        op = draw(st.sampled_from(["Add", "Sub", "Tanh", "halves", "constant"]))
        grow(graph, op, draw(st.sampled_from(graph.names)), draw(st.sampled_from(graph.names)))
    made = graph.names[len(inputs) + 1 :]
    outputs = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "drawn",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in outputs],
            [numpy_helper.from_array(np.linspace(-1, 1, 8, dtype=np.float32).reshape(SHAPE), "weight")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
    )


def varying(proto: onnx.ModelProto) -> tuple[list[onnx.NodeProto], set[str]]:
    """Return the layers, and the tensors that depend on an input."""
    found = {value.name for value in proto.graph.input}
    for node in proto.graph.node:
        if found & set(node.input):
            found |= set(node.output)
    return [node for node in proto.graph.node if node.op_type != "Constant"], found


def read(proto: onnx.ModelProto) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.onnx"
        onnx.save(proto, path)
        return read_model(path, "drawn")


def run(proto: onnx.ModelProto, given: dict[str, Array], takes: list[str], gives: list[str]) -> dict[str, Array]:
    """Run the part between two sets of tensors; it may take nothing else."""
    if not gives:
        return {}
    part = Extractor(onnx.shape_inference.infer_shapes(proto)).extract_model(takes, gives)
    answers = ReferenceEvaluator(part).run(None, {name: given[name] for name in takes if name in {v.name for v in part.graph.input}})
    return dict(zip(gives, answers, strict=True))


@given(proto=networks())
@settings(max_examples=25)
def test_two_halves_joined_by_what_is_live_are_the_whole(proto: onnx.ModelProto) -> None:
    model = read(proto)
    rng = np.random.default_rng(0)
    inputs: dict[str, Array] = {t.name: rng.standard_normal(t.shape).astype(np.float32) for t in model.inputs}
    names = [t.name for t in model.outputs]
    whole = dict(zip(names, ReferenceEvaluator(proto).run(names, inputs), strict=True))
    operators, _ = varying(proto)
    for cut in model.cuts:
        early = {name for node in operators[: cut.position] for name in node.output}
        handed = [name for name in cut.tensors if name not in inputs]
        first = run(proto, inputs, list(inputs), [*handed, *(n for n in names if n in early and n not in handed)])
        second = run(proto, {**inputs, **first}, list(cut.tensors), [n for n in names if n not in early])
        for name in names:
            np.testing.assert_array_equal({**first, **second}[name], whole[name])


@given(proto=networks())
def test_every_position_is_listed_with_the_bytes_of_its_tensors(proto: onnx.ModelProto) -> None:
    model = read(proto)
    assert [cut.position for cut in model.cuts] == list(range(1, len(model.layers)))
    for cut in model.cuts:
        halves = sum(name.endswith("_part") for name in cut.tensors)
        assert cut.live_bytes == FLOAT_BYTES * 8 * (len(cut.tensors) - halves) + FLOAT_BYTES * 4 * halves


@given(proto=networks())
def test_nothing_is_live_that_no_later_layer_reads(proto: onnx.ModelProto) -> None:
    model = read(proto)
    operators, found = varying(proto)
    for cut in model.cuts:
        later = {name for node in operators[cut.position :] for name in node.input}
        assert set(cut.tensors) <= later & found


@given(proto=networks())
def test_edges_point_forward_and_join_what_is_written_with_what_reads_it(proto: onnx.ModelProto) -> None:
    operators, varied = varying(proto)
    expected = {
        (a, b)
        for a, writer in enumerate(operators)
        for b, reader in enumerate(operators)
        if set(writer.output) & set(reader.input) & varied
    }
    found = read(proto).edges
    assert set(found) == expected
    assert all(a < b for a, b in found)
