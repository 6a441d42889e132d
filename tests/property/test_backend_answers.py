from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cotenant.backend import Session, engines
from cotenant.describe import Precision

Floats = NDArray[np.float32]
WIDTH = 16
WEIGHTS = np.random.default_rng(0).standard_normal((WIDTH, WIDTH)).astype(np.float32)


@cache
def session(name: str) -> Session:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["s"]), helper.make_node("Relu", ["s"], ["y"])],
        "test",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH]) for name in ("x", "b")],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, WIDTH])],
        [numpy_helper.from_array(WEIGHTS, "w")],
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dense.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
        return engines.get(name).load(path, Precision.FP32)


rows = arrays(np.float32, (1, WIDTH), elements=st.floats(-8, 8, width=32))


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
@given(requests=st.lists(st.tuples(rows, rows), min_size=1, max_size=6))
def test_every_answer_is_that_of_its_own_request_even_after_later_ones(name: str, requests: list[tuple[Floats, Floats]]) -> None:
    answers = [session(name).run({"b": b, "x": x})["y"] for x, b in requests]
    for (x, b), answer in zip(requests, answers, strict=True):
        np.testing.assert_allclose(answer.astype(float), np.maximum(x.astype(np.float64) @ WEIGHTS + b, 0), rtol=1e-4, atol=1e-4)
