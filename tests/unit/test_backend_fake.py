from __future__ import annotations

import math
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from cotenant.backend import Engine, engines
from cotenant.backend.fake import Fake, Gate, answers, burn
from cotenant.describe import Array, Precision, Tensor
from cotenant.errors import BackendError

MODEL = Path("net.onnx")
X: dict[str, Array] = {"x": np.full((1, 3), 2, np.float32)}


def test_the_registered_fake_gives_the_inputs_back_in_arrays_of_their_own() -> None:
    fake = engines.get("fake")
    answer = fake.load(MODEL, Precision.INT8, threads=2).run(X)
    np.testing.assert_array_equal(answer["x"], X["x"])
    assert not np.shares_memory(answer["x"], X["x"])


def test_answers_are_the_weighted_sum_of_means_plus_the_place() -> None:
    specs = (Tensor(name="y", dtype="float32", shape=(2, 2)), Tensor(name="label", dtype="int64", shape=(1,)))
    inputs: dict[str, Array] = {"b": np.array([10.0, 20.0]), "a": np.array([1.0, 3.0])}
    given = answers(inputs, specs)
    level = 1 * 2.0 + 2 * 15.0
    np.testing.assert_array_equal(given["y"], np.array([[level, level + 1], [level + 2, level + 3]], np.float32))
    assert given["y"].dtype == np.float32
    assert given["label"].dtype == np.int64
    assert given["label"].tolist() == [level]


def test_outputs_follow_the_stem_of_the_file() -> None:
    fake = Fake(outputs={"net": (Tensor(name="y", dtype="float32", shape=(1,)),)})
    assert fake.load(MODEL, Precision.FP32).run(X)["y"].tolist() == [2.0]
    assert list(fake.load(Path("folder/other.onnx"), Precision.FP32).run(X)) == ["x"]


def test_a_run_hands_the_duration_of_its_stem_and_precision_to_spend() -> None:
    spent: list[int] = []
    fake = Fake(duration_ns={("net", Precision.FP32): 7, ("net", Precision.INT8): 3}, spend=spent.append)
    for path, precision in ((MODEL, Precision.FP32), (MODEL, Precision.INT8), (Path("other.onnx"), Precision.FP32)):
        fake.load(path, precision).run(X)
    assert spent == [7, 3, 0]


def test_burning_spends_the_cpu_time_of_the_calling_thread() -> None:
    before_ns = time.thread_time_ns()
    burn(2_000_000)
    assert time.thread_time_ns() - before_ns >= 2_000_000


def test_only_the_scheduled_runs_of_a_stem_fail_after_their_time_is_spent() -> None:
    spent: list[int] = []
    fake = Fake(fails={"net": {1, 3}}, duration_ns={("net", Precision.FP32): 5}, spend=spent.append)
    sessions = [fake.load(MODEL, Precision.FP32) for _ in range(2)]
    for index in range(5):
        told = pytest.raises(BackendError, match=f"run {index}") if index in {1, 3} else nullcontext()
        with told:
            sessions[index % 2].run(X)
    assert spent == [5] * 5
    assert [run.index for run in fake.runs] == list(range(5))


def test_another_stem_does_not_advance_the_schedule() -> None:
    fake = Fake(fails={"net": range(1, 2)})
    for _ in range(3):
        fake.load(Path("other.onnx"), Precision.FP32).run(X)
    fake.load(MODEL, Precision.FP32).run(X)
    with pytest.raises(BackendError):
        fake.load(MODEL, Precision.FP32).run(X)


def test_loads_are_counted_by_stem_and_precision() -> None:
    fake = Fake()
    for precision in (Precision.FP32, Precision.FP32, Precision.BF16):
        fake.load(MODEL, precision)
    assert fake.loads == {("net", Precision.FP32): 2, ("net", Precision.BF16): 1}


def test_a_file_is_wanted_only_when_asked_for(tmp_path: Path) -> None:
    Fake().load(tmp_path / "net.onnx", Precision.FP32)
    strict = Fake(needs_files=True)
    with pytest.raises(BackendError, match=r"net\.onnx"):
        strict.load(tmp_path / "net.onnx", Precision.FP32)
    (tmp_path / "net.onnx").touch()
    strict.load(tmp_path / "net.onnx", Precision.FP32)


def test_a_precision_that_is_not_offered_is_refused() -> None:
    fake: Engine = Fake(precisions=(Precision.FP32,))
    assert fake.precisions() == (Precision.FP32,)
    with pytest.raises(BackendError, match="int8"):
        fake.load(MODEL, Precision.INT8)
    with pytest.raises(BackendError, match="1 or more"):
        fake.load(MODEL, Precision.FP32, threads=0)


def test_a_closed_fake_session_refuses() -> None:
    session = Fake().load(MODEL, Precision.FP32)
    session.close()
    with pytest.raises(BackendError, match="closed"):
        session.run(X)


def started(target: object) -> threading.Thread:
    assert callable(target)
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def test_a_gate_holds_runs_until_they_are_released_and_says_which_thread_came() -> None:
    gate = Gate()
    fake = Fake(spend=gate.spend)
    session = fake.load(MODEL, Precision.FP32)
    threads = [started(lambda: session.run(X)) for _ in range(2)]
    assert gate.arrived(2)
    assert all(thread.is_alive() for thread in threads)
    assert {run.thread for run in fake.runs} == {thread.ident for thread in threads}
    assert gate.held == 2
    gate.release(math.inf)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    session.run(X)


def test_a_pass_lets_one_run_through() -> None:
    gate = Gate()
    gate.release()
    gate.spend(0)
    thread = started(lambda: gate.spend(0))
    assert gate.arrived(2)
    assert gate.held == 1
    assert not gate.arrived(3, timeout_s=0)
    gate.release()
    thread.join(10)
    assert gate.held == 0


def test_a_session_that_is_not_shared_refuses_a_second_thread() -> None:
    gate = Gate()
    session = Fake(spend=gate.spend, shares_sessions=False).load(MODEL, Precision.FP32)
    thread = started(lambda: session.run(X))
    assert gate.arrived(1)
    with pytest.raises(BackendError, match="two threads"):
        session.run(X)
    gate.release(2)
    thread.join(10)
    session.run(X)
