"""The zoo: published counts, weights that stand for trained ones, inputs that repeat."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from cotenant.describe import Array, Model, cache_folder
from cotenant.errors import InputError
from cotenant.graph import read_model, zoo
from cotenant.graph.zoo.sketch import Sketch, Value

# torchvision's models page (alexnet, squeezenet1_1, mobilenet_v2, resnet50, vgg16); Ultralytics' yolov8.yaml (yolov8n).
ALEXNET, SQUEEZENET, MOBILENETV2, RESNET50, VGG16, YOLOV8N = 61_100_840, 1_235_496, 3_504_872, 25_557_032, 138_357_544, 3_157_200


def read(name: str) -> Model:
    return read_model(zoo.make(name, cache_folder()), name)


def channels(path: Path) -> list[int]:
    graph = onnx.load(path).graph
    dims = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    return [dims[node.input[1]][0] for node in graph.node if node.op_type == "Conv"]


@pytest.mark.parametrize(
    ("name", "published"), [("alexnet", ALEXNET), ("squeezenet", SQUEEZENET), pytest.param("vgg16", VGG16, marks=pytest.mark.slow)]
)
def test_networks_without_batch_normalisation_have_the_published_count(name: str, published: int) -> None:
    assert read(name).parameters == published


@pytest.mark.parametrize(("name", "published"), [("mobilenetv2", MOBILENETV2), ("resnet50", RESNET50)])
def test_folding_leaves_one_bias_of_the_scale_and_shift_of_every_channel(name: str, published: int) -> None:
    folded = sum(channels(zoo.make(name, cache_folder())))
    assert read(name).parameters + folded == published


def test_yolov8n_has_the_published_count_but_for_folded_channels() -> None:
    found = channels(zoo.make("yolov8n", cache_folder()))
    unfolded = 3 * 64 + 3 * 80 + 1  # the last convolution of each head at each level has a bias of its own; the expectation none
    assert read("yolov8n").parameters + sum(found) - unfolded == YOLOV8N


def test_unet_has_the_count_of_its_layers() -> None:
    widths, count, before = (64, 128, 256, 512, 1024), 0, 3
    for width in widths:
        count += 9 * before * width + width + 9 * width * width + width
        before = width
    for width in reversed(widths[:-1]):
        count += 4 * 2 * width * width + width  # up
        count += 9 * 2 * width * width + width + 9 * width * width + width
    assert read("unet").parameters == count + 64 * 2 + 2
    assert round(count / 1e6) == 31  # Ronneberger et al., 2015, as usually reported


def test_the_encoder_has_the_count_of_six_transformer_layers_and_embeddings() -> None:
    d, hidden = 512, 2048
    layer = 4 * (d * d + d) + d * hidden + hidden + hidden * d + d + 2 * 2 * d
    assert 6 * layer == 18_914_304  # the encoder of the base model (Vaswani et al., 2017)
    assert read("encoder").parameters == 6 * layer + 30_522 * d + 128 * d + 2 * d


def test_every_name_can_be_made_and_read() -> None:
    for name in zoo.names():
        model = read(name)
        given = zoo.samples(name, 2, 0)
        assert {t.name: (t.dtype, t.shape[1:]) for t in model.inputs} == {n: (str(a.dtype), a.shape[1:]) for n, a in given.items()}
        assert all(t.shape[0] == 1 for t in (*model.inputs, *model.outputs))


@pytest.mark.parametrize(
    ("name", "size"), [("squeezenet", 64), ("mobilenetv2", 64), ("resnet50", 64), ("yolov8n", 64), ("unet", 32), ("encoder", 12)]
)
def test_what_was_evaluated_while_drawing_is_what_an_engine_computes(name: str, size: int) -> None:
    architecture = zoo.ARCHITECTURES[name]
    rng = np.random.default_rng(0)
    draw = zoo.inputs.tokens if architecture.input == "tokens" else zoo.inputs.images
    given: Array = draw(4, size, rng)
    sketch = Sketch(rng=rng)
    values = getattr(import_module(f"cotenant.graph.zoo.{architecture.module}"), name)(sketch, Value(architecture.input, given))
    model = sketch.model(name, (architecture.input, given), dict(zip(architecture.outputs, values, strict=True)))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for index in range(len(given)):
        answers = session.run(None, {architecture.input: given[index : index + 1]})
        for answer, value in zip(answers, values, strict=True):
            np.testing.assert_allclose(answer[0], value.array[index], rtol=1e-3, atol=1e-3)


def answers(model: onnx.ModelProto, given: Array, name: str) -> NDArray[np.float64]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, {name: given[i : i + 1]})[0].ravel() for i in range(len(given))]).astype(np.float64)


def rounded(model: onnx.ModelProto) -> onnx.ModelProto:
    """Round every weight to bfloat16: the upper half of a float32, to the nearest."""
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            bits = numpy_helper.to_array(tensor).view(np.uint32) + np.uint32(0x8000)
            name, dims = tensor.name, tensor.dims
            tensor.CopyFrom(numpy_helper.from_array((bits & np.uint32(0xFFFF0000)).view(np.float32).reshape(dims), name))
    return model


@pytest.mark.parametrize("name", ["mobilenetv2", "resnet50", "squeezenet", "yolov8n"])
def test_weights_behave_as_trained_ones_outputs_vary_and_rounding_does_not_grow(name: str) -> None:
    ((given, array),) = zoo.samples(name, 6, 1).items()
    model = onnx.load(zoo.make(name, cache_folder()))
    exact = answers(model, array, given)
    varying = exact - exact.mean(0)
    powers = np.linalg.svd(varying, compute_uv=False) ** 2
    assert np.linalg.norm(varying) > 0.3 * np.linalg.norm(exact)
    assert powers.sum() ** 2 / (powers**2).sum() > 1.5  # more than one direction tells inputs apart
    assert np.linalg.norm(answers(rounded(model), array, given) - exact) < 0.05 * np.linalg.norm(varying)


def test_samples_repeat_for_a_seed_and_differ_between_seeds() -> None:
    first, again, other = (zoo.samples("unet", 3, seed)["images"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_samples_are_smooth_and_vary_from_one_to_another() -> None:
    images = zoo.samples("mobilenetv2", 16, 0)["images"].astype(np.float64)
    assert np.abs(np.diff(images, axis=2)).mean() < 0.05 * images.std()
    assert images.std(0).mean() > 0.7 * images.std()


def test_a_network_is_made_once(tmp_path: Path) -> None:
    path = zoo.make("squeezenet", tmp_path)
    before = path.stat().st_mtime_ns
    assert zoo.make("squeezenet", tmp_path) == path
    assert path.stat().st_mtime_ns == before
    assert list(path.parent.iterdir()) == [path]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean resnet50"):
        zoo.samples("resnet5", 1, 0)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zoo").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="COTENANT_CACHE"):
        zoo.make("squeezenet", tmp_path)
