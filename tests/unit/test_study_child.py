"""Children: what they answer, how they fail, and that none is left behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cotenant.backend import Session
from cotenant.backend.fake import Fake
from cotenant.backend.scheduling import SchedulingClass, held, permitted
from cotenant.describe import Outcome, Precision
from cotenant.errors import BackendError
from cotenant.study import children, serving
from cotenant.study.clients import Inputs, Log, Shared, Window, ask_on_time, endings, keep_asking
from cotenant.study.seat import Manner, Seat, Service
from cotenant.study.sessions import Loaded
from cotenant.study.ways import CHILD, merged
from cotenant.trace import Trace, tally
from cotenant.units import NS_PER_MS

INPUTS: Inputs = {"x": np.zeros((1, 2), np.float32)}
WINDOW = Window(start_ns=100, stop_ns=200, end_ns=300)
PATIENCE_S = 60.0


class Ticks:
    """A clock that goes on by a step each time it is asked."""

    def __init__(self, start_ns: int, step_ns: int) -> None:
        self.now_ns, self.step_ns = start_ns, step_ns

    def __call__(self) -> int:
        self.now_ns += self.step_ns
        return self.now_ns


def session(fails: tuple[int, ...] = ()) -> Session:
    return Fake(fails={"m": fails}, spend=lambda _: None).load(Path("m"), Precision.FP32)


def seat(folder: Path, arrivals_ns: tuple[int, ...] | None = None, clients: int = 2, engine: str = "fake", tenant: str = "a") -> Seat:
    np.savez(folder / "x.npz", np.zeros((3, 2), np.float32))
    return Seat(
        tenant=tenant, manner=Manner.ONE_THREAD, engine=engine, precision=Precision.FP32, file=str(folder / "m.onnx"),
        samples=str(folder / "x.npz"), shapes=(("x", (1, 2)),), clients=clients, arrivals_ns=arrivals_ns, deadline_ns=5_000_000_000,
    )  # fmt: skip


def service(*seats: Seat, best_effort: bool = False) -> bytes:
    return msgspec.json.encode(Service(seats=seats, stop_ns=20 * NS_PER_MS, grace_ns=5000 * NS_PER_MS, best_effort=best_effort))


def served(*orders: bytes) -> Trace:
    return merged(children.serve(CHILD, orders, PATIENCE_S))


def test_flat_out_the_next_request_arrives_the_instant_one_ends() -> None:
    log = Log()
    keep_asking(session(), repeat(INPUTS), WINDOW, log, Ticks(90, 30))
    # Start 100; the clock tells 120 (the wait is over), then 150, 180, 210 as requests end.
    assert (log.arrivals_ns, log.ends) == ([100, 150, 180], [(150, ""), (180, ""), (210, "")])


def test_a_client_whose_engine_fails_asks_no_more() -> None:
    log = Log()
    keep_asking(session(fails=(0,)), repeat(INPUTS), WINDOW, log, Ticks(90, 30))
    (ended,) = endings([log], "a", None, WINDOW.start_ns, "o")
    assert ended.outcome is Outcome.FAILED
    assert "fails as told" in ended.reason


def test_latency_counts_from_the_scheduled_arrival_however_late_it_is_served() -> None:
    log = Log()
    ask_on_time(iter((0, 1)), session(), repeat(INPUTS), WINDOW, log, Ticks(100, 10))
    first, second = endings([log], "a", 15, WINDOW.start_ns, "o")
    assert (first.arrival_ns, second.arrival_ns) == (0, 1)
    # Each request asks the clock three times: to wait, whether it is over, and at the end.
    assert (first.finish_ns, second.finish_ns) == (30, 60)
    assert (second.due_ns, second.option) == (16, "o")


def test_what_the_grace_does_not_cover_is_not_answered() -> None:
    log = Log()
    ask_on_time(iter((0, 1, 2)), session(), repeat(INPUTS), WINDOW, log, Ticks(100, 100))
    assert [e.outcome for e in endings([log], "a", None, WINDOW.start_ns, "o")] == [None]


def test_threads_share_arrivals_without_taking_one_twice() -> None:
    shared = Shared(iter(range(4)))
    assert [next(shared), next(shared), *shared] == [0, 1, 2, 3]


def test_children_start_together_and_answer_for_all_their_seats(tmp_path: Path) -> None:
    arrivals_ns = (0, 5 * NS_PER_MS, 10 * NS_PER_MS)
    trace = served(service(seat(tmp_path, arrivals_ns, clients=1), seat(tmp_path, tenant="b")), service(seat(tmp_path, tenant="c")))
    a, b, c = (tally(trace, name) for name in "abc")
    assert (a.asked, a.done, a.lost, a.missed) == (3, 3, 0, 0)
    assert b.done > 0
    assert c.done > 0
    assert (b.lost, c.lost) == (0, 0)
    assert [e.request for e in trace.endings] == list(range(len(trace.endings)))
    assert {e.option for e in trace.endings} == {"fake fp32 one-thread"}


def test_arrivals_are_told_as_scheduled(tmp_path: Path) -> None:
    arrivals_ns = (0, 7 * NS_PER_MS)
    trace = served(service(seat(tmp_path, arrivals_ns, clients=1)))
    assert tuple(e.arrival_ns for e in trace.endings) == arrivals_ns
    assert all(e.finish_ns is not None and e.finish_ns >= e.arrival_ns for e in trace.endings)


def test_children_say_what_they_used(tmp_path: Path) -> None:
    one, both = (served(*[service(seat(tmp_path))] * count).usage for count in (1, 2))
    assert one is not None
    assert both is not None
    assert one.cpu_ns > 0  # flat out, a client is never idle
    assert both.segments == 0


def test_what_serves_may_lie_on_huge_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = list[int]()
    monkeypatch.setattr(serving, "collapse", lambda: moved.append(1))
    order = Service(seats=(seat(tmp_path),), stop_ns=1, grace_ns=0)
    for huge_pages in (False, True):
        serving.load(msgspec.json.encode(replace(order, huge_pages=huge_pages)))
    assert moved == [1]


def test_the_best_effort_answers_too(tmp_path: Path) -> None:
    assert tally(served(service(seat(tmp_path), best_effort=True)), "a").lost == 0


@pytest.mark.skipif(sys.platform != "linux", reason="classes of threads are Linux's")
def test_only_what_serves_is_best_effort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[SchedulingClass] = []

    class Noting:
        def run(self, inputs: Inputs) -> Inputs:
            noted.append(held())
            return inputs

        def close(self) -> None: ...

    def sessions(seat: Seat) -> Loaded:
        noted.append(held())
        return (Noting(),) * seat.clients, "o"

    monkeypatch.setattr(serving, "load_sessions", sessions)
    # Long ago, from 0 to 1 ns, each client asks just once; there is all the time in the world to answer.
    order = Service(seats=(seat(tmp_path, clients=2),), stop_ns=1, grace_ns=10**18, best_effort=True, warm_runs=3)
    with ThreadPoolExecutor(max_workers=1) as pool:  # a class once taken may be for ever
        pool.submit(lambda: serving.load(msgspec.json.encode(order))(0)).result()
    assert noted == [held()] * (1 + 3) + [permitted()] * 2


def test_an_engine_that_cannot_load_is_named_with_its_story(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        served(service(seat(tmp_path, engine="onnxruntime")))
    assert caught.value.engine == "onnxruntime"
    assert "m.onnx" in caught.value.story


def test_an_order_that_is_none_is_told_with_the_child_that_got_it() -> None:
    with pytest.raises(BackendError, match=r"serving \(a, b\): DecodeError: JSON"):
        children.serve(CHILD, [b"not an order"], PATIENCE_S, ["a, b"])


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module that a child can run; return its name."""

    def write(text: str) -> str:
        (tmp_path / "odd.py").write_text(text)
        return "odd"

    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return write


def failure(module: str) -> str:
    with pytest.raises(BackendError) as caught:
        children.serve(module, [b"order"], PATIENCE_S, ["a, b"])
    assert caught.value.engine == "child"
    return caught.value.story


@pytest.mark.parametrize(
    ("load", "told"),
    [
        ("raise KeyError('a defect')", "KeyError: 'a defect'"),
        ("return lambda _: raised(OSError('of\\n two lines'))", "OSError: of two lines"),
    ],
)
def test_a_defect_is_told_in_one_line(module: Callable[[str], str], load: str, told: str) -> None:
    raised = "def raised(error): raise error"
    text = f"from cotenant.study.child import attend\n{raised}\ndef load(_): {load}\nattend(load)"
    assert failure(module(text)) == f"odd (a, b): {told}"


def test_a_child_that_dies_is_reported_with_how_and_its_last_word(module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GONE_S", PATIENCE_S)  # however busy the machine
    # It hangs up a moment before it dies, of the alarm.
    text = """
import os, signal, sys
print("first", "last", sep="\\n", file=sys.stderr, flush=True)
signal.setitimer(signal.ITIMER_REAL, 0.2)
os.close(1)
while True:
    signal.pause()
"""
    assert failure(module(text)) == f"odd (a, b) ended with {-signal.SIGALRM}: last"


def test_a_child_that_hangs_up_but_lives_on_is_reported_as_such(module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GONE_S", 0.0)
    text = "import os, signal\nos.close(1)\nwhile True:\n    signal.pause()"
    assert failure(module(text)) == "odd (a, b) hung up, but lived on: no word"


@pytest.mark.parametrize("load", ["raise KeyError", "raise SystemExit", "return lambda _: None"])
def test_a_child_that_cannot_reply_leaves_at_once_all_the_same(module: Callable[[str], str], load: str) -> None:
    text = f"""
import atexit, os
from cotenant.study.child import attend
atexit.register(os.write, 2, b"an orderly shutdown")
def load(_): {load}
attend(load)
"""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", module(text)]
    done = subprocess.run(command, input=b"order\n0\n", stdout=writing, stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert b"an orderly shutdown" not in done.stderr


def test_a_child_that_never_answers_is_killed_and_named() -> None:
    silent = pytest.raises(children.SilentError, match="serving took over 0 s to wait")
    with children._children(CHILD, [""]) as (child,), children._limited([child], 0.0, "to wait"), silent:
        children._hear(child)


def test_no_child_outlives_the_call_even_when_it_fails() -> None:
    with pytest.raises(KeyboardInterrupt), children._children(CHILD, ["", ""]) as started:
        raise KeyboardInterrupt
    assert [child.process.poll() for child in started] == [-9, -9]


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is not a child")
def test_a_child_dies_with_its_parent() -> None:
    script = f"""
import sys
from cotenant.study import children
with children._children({CHILD!r}, [""]) as (child,):
    print(child.process.pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        watch = os.pidfd_open(int(json.loads(parent.stdout.readline())))
        parent.kill()
    ready, _, _ = select.select([watch], [], [], PATIENCE_S)
    os.close(watch)
    assert ready
