"""Laws of networks taken apart: segments answer as the whole does, bit by bit, whoever else is under way."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from cotenant.backend import Session, engines
from cotenant.describe import Array, Precision
from cotenant.graph.split import Whole

ORT = engines.get("onnxruntime")
FP32 = Precision.FP32
SHAPE = (4, 6)
UNARY, BINARY = ("Relu", "Sin", "Neg", "Softmax", "Identity"), ("Add", "Mul", "Sub")
Request = Mapping[str, Array]


@st.composite
def networks(draw: st.DrawFn) -> onnx.ModelProto:
    """Draw operators that read whatever there is: inputs, weights, and each other, near or far; one output or several."""
    known = ["x", "u"]
    nodes, weights = [], []
    for index in range(draw(st.integers(1, 14))):
        some, out = st.sampled_from(known), f"t{index}"
        kind = draw(st.sampled_from(("unary", "binary", "dense", "split")))
        if kind == "dense":
            weights.append(numpy_helper.from_array(np.random.default_rng(index).standard_normal((6, 6), dtype=np.float32), f"w{index}"))
            nodes.append(helper.make_node("MatMul", [draw(some), f"w{index}"], [out]))
        elif kind == "split":
            nodes.append(helper.make_node("TopK", [draw(some), "six"], [out, f"at{index}"]))
        else:
            inputs = [draw(some)] if kind == "unary" else [draw(some), draw(some)]
            nodes.append(helper.make_node(draw(st.sampled_from(UNARY if kind == "unary" else BINARY)), inputs, [out]))
        known.append(out)
    outputs = {known[-1], *draw(st.sets(st.sampled_from(known[2:]), max_size=2))}
    taken, given = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in names] for names in (["x", "u"], sorted(outputs))
    )
    weights.append(numpy_helper.from_array(np.array([6], dtype=np.int64), "six"))
    return helper.make_model(
        helper.make_graph(nodes, "drawn", taken, given, weights), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )


def request(seed: int) -> Request:
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(SHAPE, dtype=np.float32) for name in ("x", "u")}


def taken_apart(whole: Path, draw: st.DataObject, folder: Path) -> tuple[Session, ...]:
    """Flatten a network as the engine would, and load it in segments between some of its legal cuts."""
    divider = ORT.divider
    assert divider is not None
    divider.flatten(whole, FP32, folder / "flat.onnx")
    flat = Whole.read(folder / "flat.onnx")
    tensors = divider.tensors(flat.open().SerializeToString())
    legal = [cut.position for cut in flat.cuts(tensors)]
    chosen = sorted(draw.draw(st.sets(st.sampled_from(legal)))) if legal else []
    files = [folder / f"{index}.onnx" for index in range(len(chosen) + 1)]
    for file, segment in zip(files, flat.segments(chosen, tensors), strict=True):
        file.write_bytes(segment.SerializeToString())
    return ORT.load_chain(files, FP32)


def same(one: Request, other: Request) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name], equal_nan=True) for name in one)


def interleaved(segments: Sequence[Session], requests: Sequence[Request], draw: st.DataObject) -> list[Request]:
    """Run requests through the segments in any order of theirs; return the answers by request."""
    values, at = list(requests), [0] * len(requests)
    while open_ := [index for index, done in enumerate(at) if done < len(segments)]:
        index = draw.draw(st.sampled_from(open_))
        values[index] = segments[at[index]].run(values[index])
        at[index] += 1
    return values


@given(networks(), st.data())
def test_segments_answer_as_the_whole_does_whoever_else_is_under_way(network: onnx.ModelProto, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        onnx.save_model(network, str(folder / "whole.onnx"))
        whole, segments = ORT.load(folder / "whole.onnx", FP32), taken_apart(folder / "whole.onnx", data, folder)
        for first in (0, 3):  # the second time buffers are used again
            requests = [request(first + index) for index in range(3)]
            answers = interleaved(segments, requests, data)
            assert all(same(whole.run(given), answer) for given, answer in zip(requests, answers, strict=True))


@given(networks(), st.data())
def test_answers_stay_as_they_are_when_others_follow(network: onnx.ModelProto, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        onnx.save_model(network, str(folder / "whole.onnx"))
        segments = taken_apart(folder / "whole.onnx", data, folder)
        first = interleaved(segments, [request(0)], data)[0]
        before = {name: array.copy() for name, array in first.items()}
        interleaved(segments, [request(1)], data)
        assert same(first, before)
