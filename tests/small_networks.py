"""Networks small enough to draw, quantise and run within a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE = 8
CLASSES = 5


Shape = tuple[int, ...]


def save(path: Path, nodes: Sequence[onnx.NodeProto], weights: Sequence[onnx.TensorProto], shape: Shape, out: Shape) -> Path:
    """Write a network with one float input `x` and one float output `y`."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, out)
    graph = helper.make_graph(list(nodes), path.stem, [x], [y], list(weights))
    onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def classifier(path: Path, seed: int = 0) -> Path:
    """Write a convolution, a ReLU and a dense layer: [1, 3, SIDE, SIDE] to [1, CLASSES]."""
    rng = np.random.default_rng(seed)
    filters = numpy_helper.from_array(rng.standard_normal((4, 3, 3, 3), dtype=np.float32), "filters")
    dense = numpy_helper.from_array(rng.standard_normal((4 * SIDE * SIDE, CLASSES), dtype=np.float32), "dense")
    nodes = [
        helper.make_node("Conv", ["x", "filters"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Flatten", ["r"], ["f"]),
        helper.make_node("Gemm", ["f", "dense"], ["y"]),
    ]
    return save(path, nodes, [filters, dense], (1, 3, SIDE, SIDE), (1, CLASSES))


def sine(path: Path) -> Path:
    """Write a network in which nothing can be quantised."""
    return save(path, [helper.make_node("Sin", ["x"], ["y"])], [], (1, 4), (1, 4))


def images(count: int, seed: int = 1) -> NDArray[np.float32]:
    """Draw inputs of the classifier, without their batch axis."""
    return np.random.default_rng(seed).standard_normal((count, 3, SIDE, SIDE), dtype=np.float32)
