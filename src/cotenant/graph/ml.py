"""Shapes of ai.onnx.ml operators that onnx itself leaves open."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from cotenant.graph.values import dims_of, write

Shape = tuple[int, ...]

DOMAIN = "ai.onnx.ml"


def complete(model: onnx.ModelProto) -> bool:
    """Write what can be known into a model, in place; return whether there was anything new, so that more can be inferred."""
    values = {v.name: v for v in (*model.graph.input, *model.graph.value_info, *model.graph.output)}
    known = {name: dims for name, value in values.items() if (dims := _static(value)) is not None}
    found = [
        (name, shape, _type(node, index))
        for node in model.graph.node
        if node.domain == DOMAIN and node.input[0] in known
        for index, (name, shape) in enumerate(zip(node.output, _shapes(node, known[node.input[0]]), strict=False))
        if name and name not in known and (name not in values or values[name].type.HasField("tensor_type"))
    ]
    for name, shape, element in found:
        if name in values:
            write(values[name], shape)
        else:
            model.graph.value_info.append(helper.make_tensor_value_info(name, element, shape))
    return bool(found)


def _static(value: onnx.ValueInfoProto) -> Shape | None:
    dims = dims_of(value)
    return tuple(dim for dim in dims if isinstance(dim, int)) if dims is not None and all(isinstance(dim, int) for dim in dims) else None


def _shapes(node: onnx.NodeProto, rows: Shape) -> tuple[Shape, ...]:
    """Return the shapes of a node's outputs, () where they are not known; classifiers give labels and scores."""
    attributes = {a.name: a for a in node.attribute}
    match node.op_type:
        case "Scaler" | "Normalizer" | "Imputer" | "Binarizer":
            return (rows,)
        case "TreeEnsembleRegressor":
            targets = attributes["n_targets"].i if "n_targets" in attributes else 1
            return ((rows[0], targets),)
        case "TreeEnsembleClassifier":
            classes = sum(len(a.ints) + len(a.strings) for name, a in attributes.items() if name.startswith("classlabels"))
            return (rows[:1], (rows[0], classes))
        case _:
            return ()


def _type(node: onnx.NodeProto, index: int) -> int:
    if node.op_type != "TreeEnsembleClassifier" or index == 1:
        return int(TensorProto.FLOAT)
    strings = any(a.name == "classlabels_strings" for a in node.attribute)
    return int(TensorProto.STRING if strings else TensorProto.INT64)
