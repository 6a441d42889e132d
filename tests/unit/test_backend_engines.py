from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cotenant.backend import Engine, Session, engines, installed
from cotenant.backend.library import STORY_LIMIT, complaint, installed_version
from cotenant.backend.scheduling import best_effort
from cotenant.describe import Precision
from cotenant.errors import BackendError, InputError
from tests.small_networks import classifier

Floats = NDArray[np.float32]
REAL = ("onnxruntime", "openvino")
SIDE = 12
SCALE = np.float32(0.05)


def floats(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def write(path: Path, nodes: list[onnx.NodeProto], x: tuple[int, ...], y: tuple[int, ...], weights: dict[str, NDArray[np.generic]]) -> Path:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, y), helper.make_tensor_value_info("flat", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture(scope="module")
def convolutional(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a network with two outputs, one of which is also on the way to the other."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Flatten", ["r"], ["flat"]),
        helper.make_node("MatMul", ["flat", "v"], ["y"]),
    ]
    weights: dict[str, NDArray[np.generic]] = {"w": floats(4, 3, 3, 3, seed=1), "v": floats(4 * SIDE * SIDE, 5, seed=2)}
    return write(tmp_path_factory.mktemp("models") / "conv.onnx", nodes, (1, 3, SIDE, SIDE), (1, 5), weights)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a network that takes some tens of milliseconds."""
    names = ["x", *(f"h{i}" for i in range(7)), "y"]
    nodes = [helper.make_node("MatMul", [a, "w"], [b]) for a, b in pairwise(names)]
    nodes.append(helper.make_node("Flatten", ["y"], ["flat"]))
    return write(tmp_path_factory.mktemp("models") / "long.onnx", nodes, (256, 1024), (256, 1024), {"w": floats(1024, 1024) / 32})


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest) -> Engine:
    return engines.get(request.param)


@pytest.fixture
def session(engine: Engine, convolutional: Path) -> Iterator[Session]:
    loaded = engine.load(convolutional, Precision.FP32)
    yield loaded
    loaded.close()


def image(seed: int) -> dict[str, Floats]:
    return {"x": floats(1, 3, SIDE, SIDE, seed=seed)}


def test_the_shipped_engines_are_found_and_the_fake_is_never_counted_as_installed() -> None:
    assert set(engines.names()) >= {"fake", *REAL}
    assert {e.name for e in installed()} >= set(REAL)
    assert "fake" not in {e.name for e in installed()}


def test_an_unknown_engine_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="openvino"):
        engines.get("openvyno")


def test_naming_engines_and_versions_imports_no_heavy_library() -> None:
    code = (
        "import sys; from cotenant.backend import installed, machine; installed(); "
        "sys.exit(any(m in sys.modules for m in ('onnxruntime', 'openvino', 'onnx')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_loading_openvino_reports_to_nobody(tmp_path: Path) -> None:
    code = (
        "import sys; from cotenant.backend.openvino import openvino; openvino.precisions(); "
        "sys.exit(any(m.startswith('openvino_telemetry') for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, check=False)
    assert done.returncode == 0
    assert (done.stdout, done.stderr) == (b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_loading_onnxruntime_reports_to_nobody(tmp_path: Path) -> None:
    code = (
        "import os; from cotenant.backend.onnxruntime import onnxruntime;"
        "onnxruntime.import_library(); print(len(os.listdir('/proc/self/task')))"
    )
    free = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment = {**free, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"1\n", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_is_not_installed_has_no_version() -> None:
    assert not installed_version("a-library-that-nobody-wrote")
    assert installed_version("a-library-that-nobody-wrote", "numpy") == np.__version__


def test_a_complaint_is_one_short_line() -> None:
    told = complaint(RuntimeError("Exception from src/a.cpp:1:\nCheck 'x' failed at b.cpp:2:\nthe cause\nand " + "more " * 100))
    assert told.startswith("the cause and more")
    assert len(told) == STORY_LIMIT
    assert complaint(ValueError()) == "ValueError"


def test_outputs_are_equal_across_engines_in_fp32(convolutional: Path) -> None:
    one, other = (engines.get(name).load(convolutional, Precision.FP32).run(image(7)) for name in REAL)
    assert list(one) == list(other) == ["y", "flat"]
    for name in one:
        np.testing.assert_allclose(other[name].astype(float), one[name].astype(float), rtol=1e-4, atol=1e-4)


def test_a_quantised_file_gives_the_quantised_product_in_every_engine(engine: Engine, tmp_path: Path) -> None:
    zero, quantised = np.uint8(128), np.random.default_rng(3).integers(-127, 128, (64, 8)).astype(np.int8)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "s", "z8"], ["dw"]),
        helper.make_node("MatMul", ["d", "dw"], ["y"]),
        helper.make_node("Flatten", ["y"], ["flat"]),
    ]
    weights: dict[str, NDArray[np.generic]] = {
        "s": np.asarray(SCALE), "z": np.asarray(zero), "z8": np.asarray(np.int8(0)), "w": quantised,
    }  # fmt: skip
    path = write(tmp_path / "qdq.onnx", nodes, (1, 64), (1, 8), weights)
    x = floats(1, 64)
    steps = np.clip(np.rint(x / SCALE) + zero, 0, 255) - zero
    expected = (steps * SCALE) @ (quantised * SCALE)
    answer = engine.load(path, Precision.INT8).run({"x": x})["y"].astype(float)
    np.testing.assert_allclose(answer, expected, atol=1e-2 * float(np.abs(expected).max()))


def test_bf16_is_near_fp32_where_it_is_offered(engine: Engine, convolutional: Path) -> None:
    if Precision.BF16 not in engine.precisions():
        with pytest.raises(BackendError, match="bf16"):
            engine.load(convolutional, Precision.BF16)
        return
    exact, rounded = (engine.load(convolutional, p).run(image(1))["y"].astype(np.float64) for p in (Precision.FP32, Precision.BF16))
    distance = np.linalg.norm(rounded - exact) / np.linalg.norm(exact)
    assert 0 < distance < 2**-6, "bf16 keeps 8 bits of mantissa, and would not be bf16 if it kept more"


def test_fp32_is_not_silently_computed_in_bf16(session: Session) -> None:
    x = image(2)["x"]
    assert np.any(session.run({"x": x})["y"] != session.run({"x": x * np.float32(1 + 2**-15)})["y"])
    base, moved = (session.run({"x": x * np.float32(f)})["flat"].astype(np.float64) for f in (1, 1 + 2**-15))
    np.testing.assert_allclose(moved, base * (1 + 2**-15), rtol=1e-5, atol=1e-5)


def test_a_later_run_leaves_an_answer_already_given_as_it_was(session: Session) -> None:
    first = session.run(image(1))
    kept = {name: array.copy() for name, array in first.items()}
    second = session.run(image(2))
    for name, array in kept.items():
        np.testing.assert_array_equal(first[name], array)
        assert not np.shares_memory(first[name], second[name])
        assert not np.array_equal(first[name], second[name])


def test_inputs_need_be_neither_contiguous_nor_writable(session: Session) -> None:
    x = image(4)["x"]
    reversed_twice = np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    reversed_twice.flags.writeable = False
    np.testing.assert_array_equal(session.run({"x": reversed_twice})["y"], session.run({"x": x})["y"])


@pytest.mark.parametrize(
    "inputs",
    [{}, {"x": floats(1, 3, SIDE, SIDE + 1)}, {"x": floats(1)}, {"x": floats(1, 3, SIDE, SIDE).astype(np.float64)}, {"z": floats(1)}],
    ids=["none", "wrong shape", "would broadcast", "wrong type", "wrong name"],
)
def test_inputs_that_do_not_fit_are_refused_in_one_line(session: Session, inputs: dict[str, Floats]) -> None:
    with pytest.raises(BackendError) as caught:
        session.run(inputs)
    assert caught.value.__cause__ is not None or "wanted" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert np.isfinite(session.run(image(1))["y"]).all(), "the session serves on"


def test_a_closed_session_refuses(engine: Engine, convolutional: Path) -> None:
    loaded = engine.load(convolutional, Precision.FP32)
    loaded.close()
    loaded.close()
    with pytest.raises(BackendError, match="closed"):
        loaded.run(image(1))


def test_a_missing_file_is_refused_with_its_path(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"nowhere\.onnx"):
        engine.load(tmp_path / "nowhere.onnx", Precision.FP32)


def test_an_operator_that_nobody_knows_is_refused_with_the_file(engine: Engine, tmp_path: Path) -> None:
    nodes = [helper.make_node("Frobnicate", ["x"], ["y"]), helper.make_node("Flatten", ["y"], ["flat"])]
    path = write(tmp_path / "odd.onnx", nodes, (1, 4), (1, 4), {})
    with pytest.raises(BackendError, match=r"odd\.onnx.*Frobnicate"):
        engine.load(path, Precision.FP32)


def test_openvino_refuses_a_shape_that_is_not_fixed(tmp_path: Path) -> None:
    path = tmp_path / "open.onnx"
    write(path, [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Flatten", ["y"], ["flat"])], (1, 4), (1, 4), {})
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(model, path)
    with pytest.raises(BackendError, match="fixed shape"):
        engines.get("openvino").load(path, Precision.FP32)


def test_an_inference_spends_the_calling_thread_and_no_other(engine: Engine, long: Path) -> None:
    loaded, x = engine.load(long, Precision.FP32), {"x": floats(256, 1024)}
    loaded.run(x)
    own_ns, all_ns = time.thread_time_ns(), time.process_time_ns()
    for _ in range(4):
        loaded.run(x)
    own_ns, all_ns = time.thread_time_ns() - own_ns, time.process_time_ns() - all_ns
    assert own_ns > 0.9 * all_ns


def test_an_inference_lets_other_threads_run(engine: Engine, long: Path) -> None:
    loaded, x = engine.load(long, Precision.FP32), {"x": floats(256, 1024)}

    def others_run_meanwhile() -> bool:
        begun, ended = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            loaded.run(x)
            ended.set()

        worker = threading.Thread(target=work)
        worker.start()
        begun.wait()
        meanwhile = not ended.is_set()
        worker.join()
        return meanwhile

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # nobody is asked to give way: only an inference that lets go of the lock does
    try:
        assert any(others_run_meanwhile() for _ in range(5))
    finally:
        sys.setswitchinterval(interval_s)


def test_a_shared_session_answers_threads_at_once(convolutional: Path) -> None:
    engine = engines.get("onnxruntime")
    assert engine.shares_sessions
    loaded = engine.load(convolutional, Precision.FP32)
    expected = [loaded.run(image(seed))["y"] for seed in range(4)]
    wrong: list[int] = []

    def work(seed: int) -> None:
        if not all(np.array_equal(loaded.run(image(seed))["y"], expected[seed]) for _ in range(50)):
            wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads the class of another thread")
def test_the_threads_of_a_wide_session_take_the_class_of_the_one_that_loads_it(convolutional: Path) -> None:
    tasks = Path("/proc/self/task")
    classes: list[int] = []

    def work() -> None:
        best_effort()
        before = set(tasks.iterdir())
        loaded = engines.get("onnxruntime").load(convolutional, Precision.FP32, threads=2)
        classes.extend(os.sched_getscheduler(int(task.name)) for task in set(tasks.iterdir()) - before)
        loaded.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert classes == [os.SCHED_IDLE]


TOUCH_TOGETHER = """
import sys, threading
from cotenant.backend.openvino import _core
sys.setswitchinterval(1e-6)
core, barrier = _core(), threading.Barrier(8)
model = core.read_model(sys.argv[1])
requests = [core.compile_model(model, "CPU").create_infer_request() for _ in range(8)]
def touch(request):
    barrier.wait()
    request.get_input_tensor(0).data
threads = [threading.Thread(target=touch, args=(request,), daemon=True) for request in requests]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_threads_that_touch_tensors_first_together_do_not_wait_for_one_another_for_ever(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    classifier(tmp_path / "m.onnx")
    subprocess.run([sys.executable, "-c", TOUCH_TOGETHER, str(tmp_path / "m.onnx")], check=True, timeout=60)
