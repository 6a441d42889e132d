"""Preparing a tenant's model: found, fixed in its shapes, made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from cotenant.describe import Source
from cotenant.errors import InputError
from cotenant.graph import prepare
from tests.small_networks import classifier

WHERE = "tenants[2].model"


def dynamic(folder: Path, *, external: bool = False) -> Path:
    weight = numpy_helper.from_array(np.arange(4 * 300, dtype=np.float32).reshape(4, 300), "w")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size]) for name, size in (("x", 4), ("y", 300)))
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "dynamic", [x], [y], [weight])
    folder.mkdir()
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save_model(proto, folder / "dynamic.onnx", save_as_external_data=external, location="dynamic.data", size_threshold=0)
    return folder / "dynamic.onnx"


def test_a_static_model_is_served_from_where_it_lies(tmp_path: Path) -> None:
    path = classifier(tmp_path / "small.onnx")
    model, file = prepare(Source(model=str(path)), "detector", tmp_path / "cache", WHERE)
    assert file == path
    assert model.name == "detector"
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("external", [False, True])
def test_a_fixed_copy_answers_as_the_model_does(tmp_path: Path, external: bool) -> None:
    path = dynamic(tmp_path / "own", external=external)
    source = Source(model=str(path), shapes=(("x", (2, 4)),))
    model, file = prepare(source, "dense", tmp_path / "cache", WHERE)
    given = {"x": np.ones((2, 4), np.float32)}
    copy, whole = (onnxruntime.InferenceSession(str(p), providers=["CPUExecutionProvider"]) for p in (file, path))
    assert copy.get_inputs()[0].shape == [2, 4] == list(model.inputs[0].shape)
    np.testing.assert_array_equal(copy.run(None, given)[0], whole.run(None, given)[0])


def test_a_fixed_copy_is_made_once_for_each_shape(tmp_path: Path) -> None:
    path = dynamic(tmp_path / "own")
    sources = [Source(model=str(path), shapes=(("x", (rows, 4)),)) for rows in (1, 2, 1)]
    files = [prepare(source, "dense", tmp_path / "cache", WHERE)[1] for source in sources]
    assert files[0] == files[2] != files[1]
    assert len(list((tmp_path / "cache" / "fixed").iterdir())) == 2


def test_a_network_of_the_zoo_is_made_under_the_folder(tmp_path: Path) -> None:
    model, file = prepare(Source(model="zoo:squeezenet"), "tagger", tmp_path, WHERE)
    assert file.is_relative_to(tmp_path)
    assert model.name == "tagger"


@pytest.mark.parametrize(("wanted", "expected"), [("zoo:resnet5", "did you mean resnet50"), ("none.onnx", "there is no such file")])
def test_a_model_that_is_not_there_is_refused_with_its_place_in_the_crew(tmp_path: Path, wanted: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected) as caught:
        prepare(Source(model=wanted), "x", tmp_path, WHERE)
    assert str(caught.value).startswith(f"{WHERE}: {wanted}; ")


def test_shapes_are_refused_at_their_own_place_in_the_crew(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepare(Source(model=str(dynamic(tmp_path / "own"))), "x", tmp_path, WHERE)
    assert str(caught.value).startswith("tenants[2].shapes: input 'x' is [N, 4]; ")


def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = dynamic(tmp_path / "own")
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="COTENANT_CACHE"):
        prepare(Source(model=str(path), shapes=(("x", (1, 4)),)), "x", tmp_path / "cache", WHERE)


def test_a_damaged_network_of_the_zoo_is_drawn_anew(tmp_path: Path) -> None:
    model, file = prepare(Source(model="zoo:squeezenet"), "tagger", tmp_path, WHERE)
    file.write_bytes(file.read_bytes()[:1000])
    again, _ = prepare(Source(model="zoo:squeezenet"), "tagger", tmp_path, WHERE)
    assert again == model
