"""Samples: what fits is taken, what does not is refused in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cotenant.describe import Closed, Judged, Model, Source, Tenant, Tensor
from cotenant.errors import InputError
from cotenant.profile import samples_of
from cotenant.profile.samples import samples_key

IMAGE = Tensor(name="image", dtype="float32", shape=(1, 2, 3))
TOKENS = Tensor(name="tokens", dtype="int32", shape=(4,))
MODEL = Model(name="m", digest="d", layers=(), edges=(), cuts=(), inputs=(IMAGE, TOKENS), outputs=(), parameters=0)
COUNT = 5


def arrays(**changed: Any) -> dict[str, Any]:
    image = np.arange(COUNT * 6, dtype=np.float32).reshape(COUNT, 2, 3)
    tokens = np.arange(COUNT * 4, dtype=np.int32).reshape(COUNT, 4)
    return {"image": image, "tokens": tokens, **changed}


def tenant(folder: Path, content: Mapping[str, Any] | bytes, labels: Any = None) -> Tenant:
    path = folder / "inputs.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez(path, **content)
    if labels is not None:
        np.save(folder / "labels.npy", labels)
    source = Source(model="m.onnx", samples=str(path), labels=None if labels is None else str(folder / "labels.npy"))
    return Tenant(name="t", source=source, arrival=Closed())


def test_a_request_has_the_shapes_that_the_model_takes(tmp_path: Path) -> None:
    samples = samples_of(tenant(tmp_path, arrays()), MODEL, COUNT)
    request = samples.request(3)
    assert samples.judged is Judged.SAMPLES
    assert request["image"].shape == (1, 2, 3)
    assert np.array_equal(request["image"][0], arrays()["image"][3])
    assert np.array_equal(request["tokens"], arrays()["tokens"][3])


def test_a_batch_axis_of_one_may_be_kept_or_left_out(tmp_path: Path) -> None:
    kept = arrays(image=arrays()["image"][:, None])
    with_axis = samples_of(tenant(tmp_path, kept), MODEL, COUNT).inputs["image"]
    assert np.array_equal(with_axis, samples_of(tenant(tmp_path, arrays()), MODEL, COUNT).inputs["image"])


def test_requests_go_round_for_ever(tmp_path: Path) -> None:
    samples = samples_of(tenant(tmp_path, arrays()), MODEL, COUNT)
    assert np.array_equal(samples.request(COUNT + 2)["tokens"], samples.request(2)["tokens"])


WORDS = replace(MODEL, inputs=(Tensor(name="word", dtype="object", shape=(1,)),))


@pytest.mark.parametrize("kind", [np.str_, np.bytes_])
def test_strings_come_as_text_or_as_its_bytes(tmp_path: Path, kind: type[np.generic]) -> None:
    words = ["été".encode() if kind is np.bytes_ else "été", "b"]
    samples = samples_of(tenant(tmp_path, {"word": np.array(words, dtype=kind)}), WORDS, 2)
    request = samples.request(0)["word"]
    assert (request.shape, request.dtype, request.tolist()) == ((1,), np.dtype(object), ["été"])


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text"):
        samples_of(tenant(tmp_path, {"word": np.array([b"\xff"])}), WORDS, 1)


def test_fewer_are_picked_evenly_with_their_labels(tmp_path: Path) -> None:
    samples = samples_of(tenant(tmp_path, arrays(), labels=np.array([7, 6, 5, 4, 3])), MODEL, 3)
    assert samples.labels is not None
    assert samples.labels.tolist() == [7, 5, 3]
    assert np.array_equal(samples.inputs["tokens"], arrays()["tokens"][[0, 2, 4]])


def test_one_sample_judges_nothing(tmp_path: Path) -> None:
    one = {name: array[:1] for name, array in arrays().items()}
    assert samples_of(tenant(tmp_path, one), MODEL, COUNT).judged is Judged.UNKNOWN


def test_without_samples_inputs_are_generated_and_judge_nothing() -> None:
    samples = samples_of(Tenant(name="t", source=Source(model="m.onnx"), arrival=Closed()), MODEL, 6)
    assert samples.judged is Judged.UNKNOWN
    assert len(samples) == 6
    assert {name: (array.dtype.name, array.shape) for name, array in samples.request(0).items()} == {
        "image": ("float32", (1, 2, 3)),
        "tokens": ("int32", (4,)),
    }


@pytest.mark.parametrize("lossless", [{"image": arrays()["image"].astype(np.float64)}, {"tokens": arrays()["tokens"].astype(np.int64)}])
def test_another_width_of_the_same_kind_is_converted(tmp_path: Path, lossless: dict[str, Any]) -> None:
    samples = samples_of(tenant(tmp_path, arrays(**lossless)), MODEL, COUNT)
    assert np.array_equal(samples.inputs["image"], arrays()["image"])
    assert np.array_equal(samples.inputs["tokens"], arrays()["tokens"])
    assert [samples.inputs[name].dtype.name for name in ("image", "tokens")] == ["float32", "int32"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "shape": ({"image": np.zeros((COUNT, 3, 2), np.float32)}, r"inputs\.npz\[image\]: shape \(5, 3, 2\); \(n, 1, 2, 3\) or \(n, 2, 3\)"),
    "scalar": ({"image": np.float32(1)}, r"\[image\]: shape \(\)"),
    "kind": ({"tokens": np.zeros((COUNT, 4), np.float32)}, r"\[tokens\]: float32; int32"),
    "text": ({"tokens": np.full((COUNT, 4), "a")}, r"\[tokens\]: <U1; int32"),
    "overflow": ({"tokens": np.full((COUNT, 4), 2**40)}, r"\[tokens\]: int64; int32, or what converts to it without loss"),
    "nan": ({"image": np.full((COUNT, 2, 3), np.nan, np.float32)}, r"\[image\]: not a number"),
    "counts": ({"tokens": np.zeros((COUNT + 1, 4), np.int32)}, r"samples: image 5, tokens 6; as many for every input"),
}


@pytest.mark.parametrize("case", WRONG)
def test_samples_that_do_not_fit_are_refused(tmp_path: Path, case: str) -> None:
    changed, line = WRONG[case]
    with pytest.raises(InputError, match=line):
        samples_of(tenant(tmp_path, arrays(**changed)), MODEL, COUNT)


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="arrays: image; one for each input; missing: tokens"):
        samples_of(tenant(tmp_path, {"image": arrays()["image"]}), MODEL, COUNT)


def test_no_samples_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="samples: image 0, tokens 0"):
        samples_of(tenant(tmp_path, {name: array[:0] for name, array in arrays().items()}), MODEL, COUNT)


def test_a_file_that_is_not_there_is_named() -> None:
    lost = Tenant(name="t", source=Source(model="m.onnx", samples="lost.npz"), arrival=Closed())
    for read in (lambda: samples_of(lost, MODEL, 1), lambda: samples_key(lost)):
        with pytest.raises(InputError, match=r"lost\.npz: No such file"):
            read()


def saved(array: Any) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut short", b"\x93NUMPY\x01\x00", saved(np.zeros(3))])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"inputs\.npz: not an \.npz that can be read") as caught:
        samples_of(tenant(tmp_path, content), MODEL, COUNT)
    assert "\n" not in str(caught.value)


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = Path(tenant(tmp_path, arrays()).source.samples or "").read_bytes()
    for length in range(0, len(whole), 97):
        with pytest.raises(InputError):
            samples_of(tenant(tmp_path, whole[:length]), MODEL, COUNT)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        samples_of(tenant(tmp_path, arrays(image=np.array([{"a": 1}] * COUNT, dtype=object))), MODEL, COUNT)


@pytest.mark.parametrize("labels", [np.zeros(COUNT + 1, np.int64), np.zeros(COUNT, np.float32), np.zeros((COUNT, 2), np.int64)])
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: Any) -> None:
    with pytest.raises(InputError, match=r"labels\.npy: .*; one class index for each of 5 samples"):
        samples_of(tenant(tmp_path, arrays(), labels=labels), MODEL, COUNT)


def test_other_samples_have_another_key(tmp_path: Path) -> None:
    first = samples_key(tenant(tmp_path, arrays()))
    assert samples_key(tenant(tmp_path, arrays())) == first
    assert samples_key(tenant(tmp_path, arrays(image=arrays()["image"] + 1))) != first
    assert samples_key(tenant(tmp_path, arrays(), labels=np.zeros(COUNT, np.int64))) != first
