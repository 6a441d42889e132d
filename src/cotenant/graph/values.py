"""What an ONNX file says of one tensor."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper


def dims_of(value: onnx.ValueInfoProto) -> tuple[int | str, ...] | None:
    """Return a number for each fixed dimension and a name for each other; None without a shape, or for no tensor."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        return None
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.dim_value > 0 else dim.dim_param or "?" for dim in dims)


def write(value: onnx.ValueInfoProto, shape: tuple[int | str, ...]) -> None:
    """Set the shape of a tensor; `?` stays unknown."""
    tensor = value.type.tensor_type
    del tensor.shape.dim[:]
    tensor.shape.SetInParent()
    for size in shape:
        dim = tensor.shape.dim.add()
        if isinstance(size, int):
            dim.dim_value = size
        elif size != "?":
            dim.dim_param = size


def inputs_of(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """List the inputs that must be given; older files list their weights among them."""
    weights = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in weights]


def dtype_of(element: int) -> str:
    """Return the NumPy name of an ONNX element type."""
    return "object" if element == TensorProto.STRING else str(helper.tensor_dtype_to_np_dtype(element).name)
