"""The Python door, with models that nobody here built."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier

import cotenant
from cotenant.errors import InputError
from cotenant.study.door import Tick, run_crew
from cotenant.study.prepare import profiled, rehearsed
from cotenant.units import NS_PER_S

CREW = """
tenants:
  - {name: digits, model: digits.onnx, rank: 0, arrival: external, allow: [fp32], shapes: {X: [1, 16]}}
  - {name: again, model: digits.onnx, rank: 1, arrival: external, allow: [fp32], shapes: {X: [1, 16]}}
"""


@pytest.fixture
def crew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COTENANT_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 16)).astype(np.float32)
    trained = MLPClassifier((8,), max_iter=5, random_state=0, solver="sgd", n_iter_no_change=100, tol=0.0)
    for _ in range(5):
        trained.partial_fit(x, np.arange(60) % 3, classes=[0, 1, 2])
    (tmp_path / "digits.onnx").write_bytes(to_onnx(trained, x[:1], options={"zipmap": False}).SerializeToString())
    (tmp_path / "crew.yaml").write_text(CREW)
    return tmp_path / "crew.yaml"


def test_a_scikit_learn_export_answers_as_its_engine_does(crew: Path) -> None:
    session = onnxruntime.InferenceSession(str(crew.parent / "digits.onnx"), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    rng = np.random.default_rng(1)
    requests = [rng.standard_normal((1, 16)).astype(np.float32) for _ in range(20)]
    with cotenant.open(crew) as device:
        answers = [device.submit(tenant, {"X": x}) for x in requests for tenant in ("digits", "again")]
        found = [future.result(10).outputs for future in answers]
    for x, first, second in zip(requests, found[::2], found[1::2], strict=True):
        expected = dict(zip(names, session.run(names, {"X": x}), strict=True))
        for name in names:
            np.testing.assert_allclose(first[name], expected[name], rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(second[name], expected[name], rtol=1e-4, atol=1e-6)


def test_a_dynamic_shape_without_shapes_is_refused_with_what_to_write(crew: Path) -> None:
    crew.write_text(CREW.replace(", shapes: {X: [1, 16]}", ""))
    with pytest.raises(InputError, match="shapes") as refused:
        cotenant.open(crew)
    assert "\n" not in str(refused.value)


def test_a_run_whose_reader_leaves_ends(crew: Path) -> None:
    def leave(tick: Tick) -> None:
        raise BrokenPipeError(f"at {tick.seconds} s")

    stop = threading.Event()
    happened = run_crew(rehearsed(profiled(crew)), stop, leave, seconds=60)
    assert stop.is_set()
    assert happened.stop_ns < 30 * NS_PER_S
