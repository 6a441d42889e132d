"""Quantising: one file for a model and its samples, or a reason why there is none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from cotenant.backend import engines
from cotenant.describe import Judged, Precision, Tensor
from cotenant.errors import BackendError, InputError
from cotenant.profile.fidelity import fidelity
from cotenant.profile.quantise import DRAFT, int8_file, quantise
from cotenant.profile.samples import Samples
from tests.small_networks import SIDE, classifier, images, sine


def samples(count: int = 8, shape: tuple[int, ...] = (1, 3, SIDE, SIDE)) -> Samples:
    inputs = images(count) if shape[-1] == SIDE else np.zeros((count, *shape[1:]), np.float32)
    return Samples(inputs={"x": inputs}, tensors=(Tensor(name="x", dtype="float32", shape=shape),), judged=Judged.SAMPLES)


def made_from(exact: Path, calibrating: Samples) -> Path:
    target = exact.with_suffix(".int8.onnx")
    quantise(exact, calibrating, target)
    return target


def test_the_int8_file_computes_nearly_the_same_with_quantised_products(tmp_path: Path) -> None:
    exact = classifier(tmp_path / "exact.onnx")
    made = made_from(exact, samples(16))
    assert "QuantizeLinear" in [node.op_type for node in onnx.load_model(str(made)).graph.node]
    engine, judging = engines.get("onnxruntime"), samples(24)
    sessions = [engine.load(exact, Precision.FP32), engine.load(made, Precision.INT8)]
    y32, y = ([dict(session.run(judging.request(index))) for index in range(24)] for session in sessions)
    kept = fidelity(y, y32)
    assert kept is not None
    assert 0.9 < kept < 1


def test_other_samples_and_other_models_have_files_of_their_own(tmp_path: Path) -> None:
    named = [int8_file(digest, key, tmp_path) for digest, key in (("ab", "1"), ("ab", "2"), ("cd", "1"))]
    assert len(set(named)) == 3


def test_only_whole_files_are_left_behind(tmp_path: Path) -> None:
    target = tmp_path / "int8" / "made.onnx"
    quantise(classifier(tmp_path / "exact.onnx"), samples(2), target)
    assert list(target.parent.iterdir()) == [target]
    with pytest.raises(BackendError):
        quantise(sine(tmp_path / "sine.onnx"), samples(2, (1, 4)), target.with_name("other.onnx"))
    assert list(target.parent.iterdir()) == [target]


def test_the_draft_of_a_killed_process_is_removed_and_one_under_way_is_not(tmp_path: Path) -> None:
    exact = classifier(tmp_path / "exact.onnx")
    stale, fresh = tmp_path / f"{DRAFT}stale", tmp_path / f"{DRAFT}fresh"
    for draft in (stale, fresh):
        draft.mkdir()
    os.utime(stale, (0, 0))
    made_from(exact, samples(2))
    assert (stale.exists(), fresh.exists()) == (False, True)


def test_a_network_with_nothing_to_quantise_says_so(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="nothing in it that can be quantised"):
        made_from(sine(tmp_path / "sine.onnx"), samples(2, (1, 4)))


def test_a_file_that_the_quantiser_cannot_read_is_a_reason_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not onnx")
    with pytest.raises(BackendError) as caught:
        made_from(tmp_path / "bad.onnx", samples(2))
    assert "\n" not in str(caught.value)


def test_samples_that_do_not_fit_are_a_reason_not_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(BackendError):
        made_from(classifier(tmp_path / "exact.onnx"), samples(2, (1, 4)))


def test_no_sample_to_calibrate_with_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="give three or more"):
        made_from(classifier(tmp_path / "exact.onnx"), samples(0))


def test_a_full_disk_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left on device; a folder with room for it"):
        made_from(classifier(tmp_path / "exact.onnx"), samples(2))


def test_the_quantiser_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made_from(classifier(tmp_path / "exact.onnx"), samples(2))
    assert capfd.readouterr() == ("", "")
