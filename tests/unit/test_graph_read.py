"""Reading ONNX files: what is counted, and what is refused in one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cotenant.errors import InputError
from cotenant.graph import read_model
from tests.small_networks import CLASSES, SIDE, classifier, sine

FLOAT_BYTES = 4
Dims = Sequence[int | str | None] | None


def model(
    nodes: list[onnx.NodeProto], inputs: dict[str, Dims], outputs: dict[str, Dims], weights: Sequence[onnx.TensorProto] = (), **more: object
) -> onnx.ModelProto:
    taken, given = ([helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in side.items()] for side in (inputs, outputs))
    graph = helper.make_graph(nodes, "small", taken, given, list(weights))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more)


def saved(proto: onnx.ModelProto, folder: Path) -> Path:
    onnx.save(proto, folder / "small.onnx")
    return folder / "small.onnx"


def refusal(path: Path, shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()) -> str:
    with pytest.raises(InputError) as caught:
        read_model(path, "small", shapes, "tenants[0].model")
    text = str(caught.value)
    assert "\n" not in text
    return text


def dense(rows: Dims = ("N", 4)) -> onnx.ModelProto:
    weight = numpy_helper.from_array(np.ones((4, 3), np.float32), "w")
    return model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": rows}, {"y": ("N", 3)}, [weight])


def test_layers_are_counted_as_by_hand(tmp_path: Path) -> None:
    found = read_model(classifier(tmp_path / "small.onnx"), "small")
    conv, relu, flatten, gemm = found.layers
    pixels, filters, flat = SIDE * SIDE, 4 * 3 * 9, 4 * SIDE * SIDE
    assert [layer.op for layer in found.layers] == ["Conv", "Relu", "Flatten", "Gemm"]
    assert [layer.flop for layer in found.layers] == [2 * pixels * filters, flat, 0, 2 * flat * CLASSES]
    assert (conv.weight_bytes, conv.input_bytes, conv.output_bytes) == (FLOAT_BYTES * filters, FLOAT_BYTES * 3 * pixels, FLOAT_BYTES * flat)
    assert (relu.weight_bytes, flatten.output_bytes, gemm.output_bytes) == (0, FLOAT_BYTES * flat, FLOAT_BYTES * CLASSES)
    assert found.parameters == filters + flat * CLASSES
    assert found.edges == ((0, 1), (1, 2), (2, 3))
    assert [(cut.position, cut.tensors, cut.live_bytes) for cut in found.cuts] == [
        (k + 1, (n,), FLOAT_BYTES * flat) for k, n in enumerate("crf")
    ]


def test_several_inputs_and_outputs_are_described(tmp_path: Path) -> None:
    nodes = [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Mul", ["a", "s"], ["m"])]
    found = read_model(saved(model(nodes, {"a": [1, 2], "b": [1, 2]}, {"s": [1, 2], "m": [1, 2]}), tmp_path), "small")
    assert [(t.name, t.dtype, t.shape) for t in found.inputs] == [("a", "float32", (1, 2)), ("b", "float32", (1, 2))]
    assert [t.name for t in found.outputs] == ["s", "m"]
    assert found.cuts[0].tensors == ("a", "s")


def test_statistics_and_settings_are_no_parameters(tmp_path: Path) -> None:
    four = [numpy_helper.from_array(np.ones(3, np.float32), name) for name in ("scale", "shift", "mean", "variance")]
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    nodes = [
        helper.make_node("BatchNormalization", ["x", "scale", "shift", "mean", "variance"], ["n"]),
        helper.make_node("Resize", ["n", "", "scales"], ["y"], mode="nearest"),
    ]
    found = read_model(saved(model(nodes, {"x": [1, 3, 2, 2]}, {"y": [1, 3, 4, 4]}, [*four, scales]), tmp_path), "small")
    assert found.parameters == 2 * 3
    assert found.weight_bytes == FLOAT_BYTES * (4 * 3 + 4)


def test_weights_listed_among_the_inputs_are_not_asked_for(tmp_path: Path) -> None:
    proto = dense([1, 4])
    proto.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3]))
    assert [t.name for t in read_model(saved(proto, tmp_path), "small").inputs] == ["x"]


def test_what_a_branch_captures_is_read_by_its_node(tmp_path: Path) -> None:
    values = {op: helper.make_tensor_value_info(f"z_{op}", TensorProto.FLOAT, [1, 2]) for op in ("Neg", "Exp")}
    branches = [helper.make_graph([helper.make_node(op, ["t"], [value.name])], op, [], [value]) for op, value in values.items()]
    zero = numpy_helper.from_array(np.zeros(1, np.float32), "zero")
    nodes = [
        helper.make_node("Relu", ["x"], ["t"]),
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("Squeeze", ["positive"], ["condition"]),
        helper.make_node("If", ["condition"], ["z"], then_branch=branches[0], else_branch=branches[1]),
    ]
    found = read_model(saved(model(nodes, {"x": [1, 2]}, {"z": [1, 2]}, [zero]), tmp_path), "small")
    assert (0, 4) in found.edges
    assert "t" in found.cuts[-1].tensors
    assert found.layers[-1].flop == 2 * 2


def test_functions_of_the_file_are_counted_by_what_they_do(tmp_path: Path) -> None:
    twice = helper.make_function(
        "own",
        "Twice",
        ["a"],
        ["c"],
        [helper.make_node("Relu", ["a"], ["b"]), helper.make_node("Tanh", ["b"], ["c"])],
        [helper.make_opsetid("", 17)],
    )
    proto = model([helper.make_node("Twice", ["x"], ["y"], domain="own")], {"x": [1, 4]}, {"y": [1, 4]}, functions=[twice])
    proto.opset_import.append(helper.make_opsetid("own", 1))
    assert [layer.op for layer in read_model(saved(proto, tmp_path), "small").layers] == ["Relu", "Tanh"]


def trees() -> onnx.NodeProto:
    """Draw one tree over three features with two leaves, as scikit-learn's converter does."""
    return helper.make_node(
        "TreeEnsembleClassifier", ["x"], ["label", "scores"], domain="ai.onnx.ml", post_transform="NONE", classlabels_int64s=[0, 1],
        nodes_treeids=[0] * 3, nodes_nodeids=[0, 1, 2], nodes_featureids=[0] * 3, nodes_values=[0.5, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0], nodes_hitrates=[1.0] * 3,
        nodes_missing_value_tracks_true=[0] * 3, class_treeids=[0, 0], class_nodeids=[1, 2], class_ids=[0, 1], class_weights=[1.0, 1.0],
    )  # fmt: skip


def test_a_classifier_of_scikit_learn_is_read(tmp_path: Path) -> None:
    proto = model([trees()], {"x": [None, 3]}, {"scores": [None, 2]})
    proto.graph.output.insert(0, helper.make_tensor_value_info("label", TensorProto.INT64, [None]))
    found = read_model(saved(proto, tmp_path), "small", (("x", (1, 3)),))
    assert [(t.name, t.dtype, t.shape) for t in found.outputs] == [("label", "int64", (1,)), ("scores", "float32", (1, 2))]


def test_shapes_are_known_behind_operators_of_scikit_learn(tmp_path: Path) -> None:
    scaler = helper.make_node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.0] * 4, scale=[1.0] * 4)
    proto = dense(("N", 4))
    proto.graph.node[0].input[0] = "s"
    proto.graph.node.insert(0, scaler)
    found = read_model(saved(proto, tmp_path), "small", (("x", (2, 4)),))
    assert [layer.flop for layer in found.layers] == [2 * 4, 2 * 2 * 4 * 3]
    assert [(cut.tensors, cut.live_bytes) for cut in found.cuts] == [(("s",), FLOAT_BYTES * 2 * 4)]


def test_no_cut_is_legal_where_a_sequence_would_be_handed_over(tmp_path: Path) -> None:
    zero = numpy_helper.from_array(np.array(0, np.int64), "zero")
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("SplitToSequence", ["r"], ["parts"], axis=1),
        helper.make_node("SequenceAt", ["parts", "zero"], ["y"]),
    ]
    found = read_model(saved(model(nodes, {"x": [1, 2]}, {"y": [1, 1]}, [zero]), tmp_path), "small")
    assert [cut.position for cut in found.cuts] == [1]


def test_an_output_that_is_no_tensor_is_refused(tmp_path: Path) -> None:
    zipped = helper.make_node("ZipMap", ["scores"], ["map"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    proto = model([trees(), zipped], {"x": [1, 3]}, {})
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    )
    proto.graph.output.append(helper.make_value_info("map", kind))
    text = refusal(saved(proto, tmp_path))
    assert "map is a sequence" in text
    assert "'zipmap': False" in text


def test_shapes_make_dynamic_dimensions_static_all_through(tmp_path: Path) -> None:
    found = read_model(saved(dense(), tmp_path), "small", (("x", (2, 4)),))
    assert found.inputs[0].shape == (2, 4)
    assert found.outputs[0].shape == (2, 3)
    assert found.flop == 2 * 2 * 4 * 3


def test_a_dimension_of_one_name_is_fixed_in_all_inputs(tmp_path: Path) -> None:
    proto = model([helper.make_node("Add", ["a", "b"], ["y"])], {"a": ["N", 4], "b": ["N", 4]}, {"y": ["N", 4]})
    path = saved(proto, tmp_path)
    assert read_model(path, "small", (("a", (2, 4)),)).inputs[1].shape == (2, 4)
    assert refusal(path, (("a", (2, 4)), ("b", (3, 4)))).startswith("tenants[0].shapes.b: [3, 4]; [N, 4], where N is 2")


def test_a_dynamic_dimension_is_refused_with_what_to_write(tmp_path: Path) -> None:
    text = refusal(saved(dense(), tmp_path))
    assert text == "tenants[0].shapes: input 'x' is [N, 4]; a size for every dimension, such as shapes: {x: [1, 4]}"


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ((("y", (1, 4)),), "tenants[0].shapes.y: [1, 4]; an input of the model; known: x"),
        ((("x", (1, 4, 4)),), "tenants[0].shapes.x: [1, 4, 4]; 2 dimensions, as in [N, 4]"),
        ((("x", (1, 5)),), "tenants[0].shapes.x: [1, 5]; as in [N, 4]"),
        ((("x", (0, 4)),), "tenants[0].shapes.x: [0, 4]; sizes of 1 or more"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(tmp_path: Path, shapes: tuple[tuple[str, tuple[int, ...]], ...], expected: str) -> None:
    assert refusal(saved(dense(), tmp_path), shapes) == expected


def test_the_digest_follows_the_file_and_the_shapes(tmp_path: Path) -> None:
    first = saved(dense(), tmp_path)
    one, two = (read_model(first, "small", (("x", (rows, 4)),)).digest for rows in (1, 2))
    assert one != two
    assert read_model(first, "another name", (("x", (1, 4)),)).digest == one
    assert read_model(sine(tmp_path / "sine.onnx"), "small").digest not in {one, two}


def outside(folder: Path, value: float) -> Path:
    weight = numpy_helper.from_array(np.full((64, 64), value, np.float32), "w")
    proto = model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": [1, 64]}, {"y": [1, 64]}, [weight])
    onnx.save_model(proto, folder / "small.onnx", save_as_external_data=True, location="small.data", size_threshold=0)
    return folder / "small.onnx"


def test_external_data_are_counted_and_change_the_digest(tmp_path: Path) -> None:
    one = read_model(outside(tmp_path, 1.0), "small")
    text = (tmp_path / "small.onnx").read_bytes()
    (tmp_path / "small.data").write_bytes(np.full((64, 64), 2.0, np.float32).tobytes())
    assert (tmp_path / "small.onnx").read_bytes() == text
    two = read_model(tmp_path / "small.onnx", "small")
    assert one.parameters == two.parameters == 64 * 64
    assert one.digest != two.digest


def test_missing_and_short_external_data_are_refused_by_name(tmp_path: Path) -> None:
    path = outside(tmp_path, 1.0)
    (tmp_path / "small.data").write_bytes(b"short")
    assert f"small.data ends before byte {64 * 64 * FLOAT_BYTES}" in refusal(path)
    (tmp_path / "small.data").unlink()
    assert "small.data is missing" in refusal(path)


def test_a_missing_file_is_refused_with_its_path(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.onnx").startswith(f"tenants[0].model: {tmp_path / 'none.onnx'}; ")


@pytest.mark.parametrize("content", [b"", b"hello, I am no model\n", b"\x89PNG\r\n\x1a\n0000", b"{}", b"\x08"])
def test_a_file_that_is_no_onnx_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "small.onnx"
    path.write_bytes(content)
    text = refusal(path)
    assert str(path) in text
    assert "ONNX file" in text


def test_a_file_truncated_anywhere_is_refused_with_its_path(tmp_path: Path) -> None:
    whole = classifier(tmp_path / "small.onnx").read_bytes()
    for length in range(0, len(whole), 97):
        (tmp_path / "cut.onnx").write_bytes(whole[:length])
        assert str(tmp_path / "cut.onnx") in refusal(tmp_path / "cut.onnx")


@pytest.mark.parametrize(("op", "domain"), [("Blur", ""), ("Blur", "ai.onnx.ml"), ("FusedGelu", "com.example")])
def test_an_unsupported_operator_is_named(tmp_path: Path, op: str, domain: str) -> None:
    path = saved(model([helper.make_node(op, ["x"], ["y"], domain=domain)], {"x": [1, 4]}, {"y": [1, 4]}), tmp_path)
    assert f"{domain}.{op}".lstrip(".") + " is unsupported" in refusal(path)


def breaks_the_order(proto: onnx.ModelProto) -> None:
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend(reversed(nodes))


def comes_from_the_future(proto: onnx.ModelProto) -> None:
    proto.opset_import[0].version = 9999


@pytest.mark.parametrize("spoil", [breaks_the_order, comes_from_the_future])
def test_an_invalid_graph_is_refused_with_the_reason(tmp_path: Path, spoil: Callable[[onnx.ModelProto], None]) -> None:
    proto = onnx.load(classifier(tmp_path / "whole.onnx"))
    spoil(proto)
    assert str(tmp_path / "small.onnx") in refusal(saved(proto, tmp_path))


def test_shapes_that_contradict_one_another_are_refused(tmp_path: Path) -> None:
    assert "Incompatible dimensions" in refusal(saved(dense([1, 5]), tmp_path))


def test_importing_graph_leaves_onnx_alone() -> None:
    code = "import sys, cotenant.graph, cotenant.graph.zoo; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_without_an_input_is_refused(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((1, 2), np.float32), "w")
    path = saved(model([helper.make_node("Relu", ["w"], ["y"])], {}, {"y": [1, 2]}, [weight]), tmp_path)
    assert refusal(path).endswith("a model with an input: one without always answers the same")
