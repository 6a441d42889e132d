"""Engines in processes of their own: what ends one is contained, and every request ends once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cotenant.backend import engines
from cotenant.backend.fake import Fake, FakeSession
from cotenant.describe import QUEUE_FULL, Answer, Option, Outcome, Precision
from cotenant.errors import BackendError, InfeasibleError
from cotenant.live import LiveDevice, ward
from cotenant.live.origin import Origin
from tests.live_cases import MS, device_of, option, plan, tenant

MB = 10**6
X = {"x": np.ones((1, 2), np.float32)}


class Lingering(Fake):
    """Leave a thread running for each model that is loaded."""

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> FakeSession:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return super().load(path, precision, threads=threads)


ORPHANS = """
import sys, threading
sys.path.insert(0, ".")
from cotenant.backend.fake import Fake
from tests.live_cases import device_of, tenant
device = device_of(Fake(hangs={"a": {1}}), tenant("a", isolated=True, standby=True))
device.submit("a", {"x": __import__("numpy").ones((1, 2), "float32")})
ward = device._stock.wards.by_tenant["a"]
print(*[process.pid for process in ward.processes], ward.origin.pid, flush=True)
threading.Event().wait()
"""


@pytest.fixture(autouse=True)
def short_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody hang for a second, and give up soon."""
    monkeypatch.setattr(ward, "LEAST_BOUND_NS", 200 * MS)
    monkeypatch.setattr(ward, "DEATHS", 4)


def engine_processes() -> list[int]:
    """List the children of this process."""
    return [int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


def written(folder: Path) -> Path:
    """Write the file of a model that an engine of files looks for."""
    file = folder / "a.onnx"
    file.write_bytes(b"x")
    return file


def elsewhere() -> Option:
    """Return an option of the same model that is loaded by itself."""
    known = option("a")
    return replace(known, artifact=replace(known.artifact, place="elsewhere"))


def wait_until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(6000):
        if holds():
            return
        pause.wait(0.01)
    pytest.fail("it does not come to hold")


def outcomes(device: LiveDevice, name: str, requests: int) -> list[Answer]:
    return [device.submit(name, X).result(30) for _ in range(requests)]


def test_an_answer_from_another_process_is_the_same() -> None:
    with device_of(Fake(), tenant("a", isolated=True), tenant("b")) as device:
        answers = outcomes(device, "a", 3) + outcomes(device, "b", 3)
        assert device.health()["a"].pid not in {0, os.getpid()}
    for answer in answers:
        assert answer.outcome is Outcome.DONE
        np.testing.assert_array_equal(answer.outputs["x"], X["x"])


def test_a_crash_is_contained_and_its_request_answered_by_the_next_process() -> None:
    """Each process dies at its second request: its first run is to warm the model."""
    fake = Fake(dies={"a": {2: signal.SIGSEGV}})
    with device_of(fake, tenant("a", isolated=True), tenant("b")) as device:
        futures = [(name, device.submit(name, X)) for _ in range(5) for name in ("a", "b")]
        assert {future.result(30).outcome for _, future in futures} == {Outcome.DONE}
        assert device.health()["a"].deaths >= 2
        assert all(count.lost == 0 and count.done == 5 for count in device.stats().values())


def test_a_request_that_ends_two_processes_fails_with_the_cause() -> None:
    fake = Fake(dies={"a": {1: signal.SIGSEGV}})
    with device_of(fake, tenant("a", isolated=True)) as device:
        answer = device.submit("a", X).result(30)
        trace = device.trace(1)
    assert (answer.outcome, answer.reason) == (Outcome.FAILED, "engine fake: its process died: SIGSEGV")
    assert len(trace.endings) == 1
    assert [span.outcome for span in trace.spans if span.stop_ns - span.start_ns > 0][-2:] == [Outcome.FAILED] * 2


def test_a_tenant_whose_processes_keep_dying_is_given_up_and_others_are_served() -> None:
    fake = Fake(dies={"a": {1: signal.SIGKILL}})
    with device_of(fake, tenant("a", isolated=True), tenant("b")) as device:
        answers = outcomes(device, "a", 6)
        assert {answer.outcome for answer in outcomes(device, "b", 3)} == {Outcome.DONE}
        assert device.health()["a"].given_up == "its process died: SIGKILL, 4 times in a row"
    assert {answer.outcome for answer in answers} == {Outcome.FAILED}
    assert "given up" in answers[-1].reason


def test_a_process_that_hangs_is_ended_after_its_bound() -> None:
    with device_of(Fake(hangs={"a": {2}}), tenant("a", isolated=True)) as device:
        assert {answer.outcome for answer in outcomes(device, "a", 2)} == {Outcome.DONE}
        assert device.health()["a"].deaths == 1


def test_a_request_that_hangs_twice_fails_with_the_cause() -> None:
    with device_of(Fake(hangs={"a": {1}}), tenant("a", isolated=True)) as device:
        answer = device.submit("a", X).result(30)
    assert answer.outcome is Outcome.FAILED
    assert re.fullmatch(r"engine fake: its process hung for \d+\.\d s and was ended", answer.reason)


def test_a_process_that_computes_for_longer_than_its_bound_is_ended() -> None:
    """Its bound is of what it computes: at best effort, beside other work, it gets little to do so."""
    with device_of(Fake(spins={"a": {1}}), tenant("a", isolated=True)) as device:
        answer = device.submit("a", X).result(120)
    assert "its process hung for" in answer.reason


def test_a_process_that_is_stopped_is_ended_and_its_request_answered() -> None:
    with device_of(Fake(), tenant("a", isolated=True)) as device:
        os.kill(device.health()["a"].pid, signal.SIGSTOP)
        assert device.submit("a", X).result(30).outcome is Outcome.DONE


def test_a_process_that_takes_more_than_its_memory_is_ended_and_its_request_fails() -> None:
    fake = Fake(swells={"a": 60 * MB}, hangs={"a": {2}})
    with device_of(fake, tenant("a", isolated=True, memory_bytes=150 * MB)) as device:
        answers = outcomes(device, "a", 2)
    assert [answer.outcome for answer in answers] == [Outcome.DONE, Outcome.FAILED]
    assert "MB and was ended; its memory is 150 MB" in answers[1].reason


def test_models_that_are_known_to_take_more_than_the_memory_are_refused_before_they_are_loaded() -> None:
    fake = Fake()
    with pytest.raises(InfeasibleError, match=r"memory of a: its models take 200\.0 MB of 150 MB; memory: 200MB, or a smaller model"):
        device_of(fake, tenant("a", memory_bytes=150 * MB), options=(option("a", resident_bytes=200 * MB),))
    assert not fake.loads


def test_a_standby_takes_over() -> None:
    with device_of(Fake(), tenant("a", isolated=True, standby=True)) as device:
        first = device.health()["a"].pid
        os.kill(first, signal.SIGKILL)
        assert {answer.outcome for answer in outcomes(device, "a", 3)} == {Outcome.DONE}
        assert device.health()["a"].pid not in {0, first}


def test_no_more_wait_for_a_process_than_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, start = threading.Event(), Origin.start
    with device_of(Fake(), tenant("a", isolated=True, queue=3)) as device:
        monkeypatch.setattr(Origin, "start", lambda origin, order: start(origin, order) if starts.wait(30) else None)
        os.kill(device.health()["a"].pid, signal.SIGKILL)
        futures: list[Future[Answer]] = []
        for _ in range(8):
            futures.append(device.submit("a", X))
            if len(futures) <= 3:
                wait_until(lambda: len(device._ongoing.away._held.get("a", ())) == len(futures))
            else:
                answer = futures[-4].result(30)
                assert (answer.outcome, answer.reason) == (Outcome.DROPPED, QUEUE_FULL)
        starts.set()
        assert {future.result(30).outcome for future in futures[-3:]} == {Outcome.DONE}
        assert device.stats()["a"].lost == 0


def test_a_model_that_ends_its_process_when_loaded_is_refused_with_the_cause() -> None:
    with pytest.raises(BackendError, match="engine fake: its process died: SIGABRT"):
        device_of(Fake(dies={"a": {0: signal.SIGABRT}}), tenant("a", isolated=True))
    assert not engine_processes()


def test_a_model_that_cannot_be_loaded_is_refused_with_the_cause() -> None:
    with pytest.raises(BackendError, match=r"engine fake: a\.onnx: no such file"):
        device_of(Fake(needs_files=True), tenant("a", isolated=True))
    assert not engine_processes()


def test_an_engine_that_cannot_be_sent_is_refused_by_name() -> None:
    with pytest.raises(BackendError, match="engine fake: cannot be taken to a process of its own: "):
        device_of(Fake(spend=lambda _: None), tenant("a", isolated=True))


def test_what_an_engine_raises_beside_its_errors_fails_its_request_alone() -> None:
    no_signal = 9999
    with device_of(Fake(dies={"a": {1: no_signal}}), tenant("a", isolated=True)) as device:
        answers = outcomes(device, "a", 2)
        assert device.health()["a"].deaths == 0
    assert [answer.outcome for answer in answers] == [Outcome.FAILED, Outcome.DONE]
    assert "raised OSError" in answers[0].reason


def test_what_an_engine_raises_beside_its_errors_when_it_loads_is_told() -> None:
    with pytest.raises(BackendError, match="engine fake: raised OSError"):
        device_of(Fake(dies={"a": {0: 9999}}), tenant("a", isolated=True))


def test_another_plan_is_loaded_beside_what_is_served() -> None:
    known = option("a")
    wide = replace(known, chain=(replace(known.chain[0], width=2),))
    with device_of(Fake(), tenant("a", isolated=True, standby=True), lanes=2, options=(known,)) as device:
        outcomes(device, "a", 1)
        device.apply(plan(wide))
        answer = device.submit("a", X).result(30)
        os.kill(device.health()["a"].pid, signal.SIGKILL)
        after = device.submit("a", X).result(30)
    assert [answer.option, after.option] == ["fake fp32 cpux2"] * 2
    assert {answer.outcome, after.outcome} == {Outcome.DONE}


def test_a_plan_that_cannot_be_loaded_is_refused_and_the_old_one_served(tmp_path: Path) -> None:
    file, other = written(tmp_path), elsewhere()
    with device_of(Fake(needs_files=True), tenant("a", isolated=True), file=str(file)) as device:
        file.unlink()
        with pytest.raises(BackendError, match="no such file"):
            device.apply(plan(other))
        file.write_bytes(b"x")
        assert device.submit("a", X).result(30).outcome is Outcome.DONE
        device.apply(plan(other))
        assert device.submit("a", X).result(30).outcome is Outcome.DONE


def test_a_fork_server_that_dies_is_started_again() -> None:
    with device_of(Fake(), tenant("a", isolated=True)) as device:
        nursery = device._stock.wards.nursery
        assert nursery is not None
        server = nursery._server
        assert server is not None
        server.kill()
        assert {answer.outcome for answer in outcomes(device, "a", 3)} == {Outcome.DONE}


def test_what_is_loaded_once_serves_whichever_process_comes_after_the_first(tmp_path: Path) -> None:
    file = written(tmp_path)
    with device_of(Fake(needs_files=True), tenant("a", isolated=True), file=str(file)) as device:
        file.unlink()
        for _ in range(5):
            os.kill(device.health()["a"].pid, signal.SIGKILL)
            assert device.submit("a", X).result(30).outcome is Outcome.DONE


def test_another_plan_is_loaded_for_the_processes_to_come(tmp_path: Path) -> None:
    file, other = written(tmp_path), elsewhere()
    with device_of(Fake(needs_files=True), tenant("a", isolated=True), file=str(file)) as device:
        device.apply(plan(other))
        os.kill(device.health()["a"].pid, signal.SIGKILL)
        assert device.submit("a", X).result(30).outcome is Outcome.DONE
        file.unlink()
        os.kill(device.health()["a"].pid, signal.SIGKILL)
        assert device.submit("a", X).result(30).outcome is Outcome.DONE


def test_a_template_that_dies_is_replaced() -> None:
    with device_of(Fake(), tenant("a", isolated=True, standby=True)) as device:
        ward = device._stock.wards.by_tenant["a"]
        before: set[int] = {0}

        def is_whole() -> bool:
            return ward.origin.pid not in before and len({process.pid for process in ward.processes} - before) == 2

        for _ in range(3):
            wait_until(is_whole)
            assert {answer.outcome for answer in outcomes(device, "a", 3)} == {Outcome.DONE}
            before |= {ward.origin.pid, *(process.pid for process in ward.processes)}
            os.kill(ward.origin.pid, signal.SIGKILL)


def test_an_engine_that_leaves_threads_loads_in_each_process() -> None:
    with device_of(Lingering(), tenant("a", isolated=True)) as device:
        for _ in range(2):
            assert not device._stock.wards.by_tenant["a"].origin.pid
            os.kill(device.health()["a"].pid, signal.SIGKILL)
            assert device.submit("a", X).result(30).outcome is Outcome.DONE


def test_copies_that_keep_dying_are_followed_by_a_process_that_loads(tmp_path: Path) -> None:
    file = written(tmp_path)
    fake = Fake(needs_files=True, dies={"a": {1: signal.SIGSEGV}})
    with device_of(fake, tenant("a", isolated=True), file=str(file)) as device:
        file.unlink()
        outcomes(device, "a", 3)
        wait_until(lambda: bool(device.health()["a"].given_up))
        assert device.health()["a"].given_up == f"{file}: no such file, 4 times in a row"


def test_closing_ends_what_hangs_and_leaves_nothing_behind() -> None:
    before = (threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))
    for _ in range(2):
        device = device_of(Fake(hangs={"a": {1}}), tenant("a", isolated=True, standby=True), tenant("b"))
        hung, waiting = device.submit("a", X), device.submit("a", X)
        device.submit("b", X).result(30)
        device.close()
        assert Outcome.DONE not in {hung.result(0).outcome, waiting.result(0).outcome}
        assert device.stats()["a"].lost == device.stats()["a"].outstanding == 0
    assert not engine_processes()
    assert (threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))) == before


def test_a_parent_that_is_killed_leaves_no_process_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
        assert len(pids) == 3  # one serves, one stands by, and they are copies of a third
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@pytest.mark.parametrize("engine", [engine for engine in ("onnxruntime", "openvino") if engines.get(engine).version])
def test_with_a_real_engine_answers_are_the_same_to_the_last_byte_whichever_process_gives_them(tmp_path: Path, engine: str) -> None:
    file = tmp_path / "net.onnx"
    weights = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Sigmoid", ["m"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    inputs = [{"x": np.random.default_rng(seed).standard_normal((1, 2)).astype(np.float32)} for seed in range(5)]
    known = tuple(option(name, engine) for name in ("a", "b"))
    with device_of(
        engines.get(engine), tenant("a", isolated=True), tenant("b"), lanes=2, file=str(file), options=known
    ) as device:  # fmt: skip
        for x in inputs:
            apart, here = (device.submit(name, x).result(30).outputs["y"] for name in ("a", "b"))
            assert (apart.dtype, apart.shape, apart.tobytes()) == (here.dtype, here.shape, here.tobytes())
            os.kill(device.health()["a"].pid, signal.SIGKILL)
        assert device._stock.wards.by_tenant["a"].origin.pid
