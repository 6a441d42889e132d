"""Shapes: those of the inputs fixed, all others inferred."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import onnx
from onnx import inliner, shape_inference

from cotenant.errors import InputError
from cotenant.graph import ml
from cotenant.graph.file import graphs, one_line
from cotenant.graph.values import dims_of, inputs_of, write
from cotenant.registry import nearest

Shapes = tuple[tuple[str, tuple[int, ...]], ...]

SMALL: Final = 1024
"""Elements of a constant that may be a shape; greater ones are dropped before inference."""


def fix(model: onnx.ModelProto, shapes: Shapes, where: str) -> None:
    """Write the given shapes into a model, in place; InputError, at `where`, if they do not fit or do not suffice.

    A dimension's name stands for one size: fixed in one input, it is fixed in all.
    """
    inputs = {value.name: value for value in inputs_of(model.graph)}
    sizes: dict[str, int] = {}
    for name, shape in shapes:
        if name not in inputs:
            raise InputError(f"{where}.{name}", list(shape), f"an input of the model; {nearest(name, tuple(inputs))}")
        _agree(dims_of(inputs[name]), shape, sizes, f"{where}.{name}")
        write(inputs[name], shape)
    _all_fixed([_sized(value, sizes) for value in inputs.values()], where)
    for value in model.graph.output:
        _sized(value, sizes)
    if shapes:
        _forget(model)


def _sized(value: onnx.ValueInfoProto, sizes: dict[str, int]) -> onnx.ValueInfoProto:
    dims = dims_of(value)
    if dims is not None:
        write(value, tuple(sizes.get(dim, dim) if isinstance(dim, str) else dim for dim in dims))
    return value


def _agree(dims: tuple[int | str, ...] | None, shape: tuple[int, ...], sizes: dict[str, int], where: str) -> None:
    if any(size < 1 for size in shape):
        raise InputError(where, list(shape), "sizes of 1 or more")
    if dims is None:
        return
    if len(dims) != len(shape):
        raise InputError(where, list(shape), f"{len(dims)} dimensions, as in {_text(dims)}")
    for dim, size in zip(dims, shape, strict=True):
        expected = dim if isinstance(dim, int) or dim == "?" else sizes.setdefault(dim, size)
        if expected not in {size, "?"}:
            raise InputError(where, list(shape), f"{_text(dims)}, where {dim} is {expected}" if dim != expected else f"as in {_text(dims)}")


def _text(dims: tuple[int | str, ...]) -> str:
    return "[" + ", ".join(map(str, dims)) + "]"


def _all_fixed(inputs: list[onnx.ValueInfoProto], where: str) -> None:
    found = [(value.name, dims_of(value)) for value in inputs if value.type.HasField("tensor_type")]
    loose = [(name, dims) for name, dims in found if dims is None or any(isinstance(dim, str) for dim in dims)]
    if not loose:
        return
    name, dims = loose[0]
    example = ", ".join(f"{name}: {_example(dims)}" for name, dims in loose)
    shown = "of any shape" if dims is None else _text(dims)
    raise InputError(where, f"input {name!r} is {shown}", f"a size for every dimension, such as shapes: {{{example}}}")


def _example(dims: tuple[int | str, ...] | None) -> str:
    return "[1]" if dims is None else _text(tuple(1 if isinstance(dim, str) else dim for dim in dims))


def _forget(model: onnx.ModelProto) -> None:
    """Drop what the exporter inferred, perhaps for other shapes."""
    for graph in graphs(model.graph):
        del graph.value_info[:]


def infer(model: onnx.ModelProto, path: Path, where: str) -> onnx.ModelProto:
    """Return the model with all shapes inferred, its functions inlined and its great weights dropped, which spoils the argument.

    InputError, at `where`, if the shapes contradict one another; what an exporter wrote of the tensors within is not held
    against the file.
    """
    for graph in graphs(model.graph):
        for tensor in graph.initializer:
            _drop_data(tensor)
    if model.functions:
        model = inliner.inline_local_functions(model)
    model = _filled(model)
    if _contradiction(model):
        _forget(model)
        model = _filled(model)
    if story := _contradiction(model):
        raise InputError(where, path, f"shapes that agree with one another; {story}")
    return model


def _filled(model: onnx.ModelProto) -> onnx.ModelProto:
    model = shape_inference.infer_shapes(model, data_prop=True)
    while ml.complete(model):
        model = shape_inference.infer_shapes(model, data_prop=True)
    return model


def _contradiction(model: onnx.ModelProto) -> str:
    """Say what contradicts what; nothing is held against a network that holds tensors of an unknown type."""
    graph = model.graph
    typed = {v.name for v in (*graph.input, *graph.value_info, *graph.output)}
    if not all(name in typed for node in graph.node for name in node.output if name):
        return ""
    try:
        shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except shape_inference.InferenceError as error:
        return one_line(error)
    return ""


def _drop_data(tensor: onnx.TensorProto) -> None:
    size = 1
    for dim in tensor.dims:
        size *= dim
    if size > SMALL:
        for data in ("raw_data", "float_data", "double_data", "int32_data", "int64_data", "uint64_data"):
            tensor.ClearField(data)
