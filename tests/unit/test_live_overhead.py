"""What lanes' threads take beside engines: counted by segment, in a size that does not grow."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.live import lane
from cotenant.live.lane import MEASURED, Done, Job, LaneThread
from cotenant.live.overhead import BIN_NS, BINS, Overhead, joined
from cotenant.live.stretch import Stretch

TAKEN = st.lists(st.integers(0, BIN_NS * (BINS - 1)), max_size=40)


def counted(taken_ns: list[int]) -> Overhead:
    found = Overhead()
    for one_ns in taken_ns:
        found.add(one_ns)
    return found


@given(TAKEN)
def test_the_median_is_that_of_the_segments_up_to_a_bin(taken_ns: list[int]) -> None:
    found = counted(taken_ns)
    assert (found.segments, found.total_ns) == (len(taken_ns), sum(taken_ns))
    if not taken_ns:
        assert (found.median_ns, found.mean_ns) == (None, None)
        return
    middle_ns = sorted(taken_ns)[-(-len(taken_ns) // 2) - 1]
    assert found.mean_ns == sum(taken_ns) / len(taken_ns)
    assert found.median_ns is not None
    assert middle_ns < found.median_ns <= middle_ns + BIN_NS


@given(TAKEN, TAKEN)
def test_what_threads_count_apart_adds_up_to_what_one_would_count(some_ns: list[int], more_ns: list[int]) -> None:
    assert joined([counted(some_ns), counted(more_ns)]) == counted(some_ns + more_ns)


def test_what_takes_long_is_counted_and_never_grows_the_count() -> None:
    found = counted([10**12, -5])
    assert (found.segments, found.total_ns, len(found.counts)) == (2, 10**12, BINS)


class Clock:
    """A thread's CPU time, of which each look at it takes TICK."""

    TICK = 10

    def __init__(self) -> None:
        self.now_ns = 0

    def thread_time_ns(self) -> int:
        self.now_ns += self.TICK
        return self.now_ns


class Session:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        self.clock.now_ns += 10**6
        return inputs

    def close(self) -> None: ...


def test_a_lane_counts_what_it_takes_to_report_and_not_what_the_engine_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ended, reporting_ns = Clock(), threading.Semaphore(0), 20 * BIN_NS

    def report(_: Done) -> None:
        clock.now_ns += reporting_ns
        ended.release()

    monkeypatch.setattr(lane, "time", SimpleNamespace(thread_time_ns=clock.thread_time_ns, monotonic_ns=lambda: 0))
    thread = LaneThread(core=None, critical=True, report=report, fault=lambda _: ended.release(2), lock=nullcontext(True), clock=lambda: 0)
    thread.start()
    for slot in range(2):
        thread.inbox.put(Job(slot=slot, request=slot, session=Session(clock), inputs={}))
    assert all(ended.acquire(timeout=60) for _ in range(2))
    assert thread.stop(60)
    # Before each a look at the clock that is not within the engine's run, before the second the report of the first.
    assert (thread.overhead.segments, thread.overhead.total_ns) == (2, reporting_ns + 2 * Clock.TICK)


def test_of_segments_that_follow_one_another_one_in_so_many_is_measured_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ended, between_ns, told = Clock(), threading.Semaphore(0), 20 * BIN_NS, list[int]()

    def looked() -> int:
        clock.now_ns += between_ns
        return 0

    def report(done: Done) -> None:
        told.append(done.cpu_ns)
        ended.release()

    monkeypatch.setattr(lane, "time", SimpleNamespace(thread_time_ns=clock.thread_time_ns, monotonic_ns=lambda: 0))
    thread = LaneThread(core=None, critical=True, report=report, fault=lambda _: ended.release(), lock=nullcontext(True), clock=looked)
    thread.start()
    stretch = Stretch(slot=0, sessions=[Session(clock)] * (2 * MEASURED + 1), until_ns=1)
    thread.inbox.put(Job(slot=0, request=0, session=Session(clock), inputs={}, stretch=stretch))
    assert ended.acquire(timeout=60)
    assert thread.stop(60)
    measured_ns = between_ns + Clock.TICK
    assert (thread.overhead.segments, thread.overhead.total_ns) == (1 + 2 * MEASURED, Clock.TICK + 2 * MEASURED * measured_ns)
    segments, first_looks_ns = 2 * MEASURED + 2, 2 * 2 * Clock.TICK
    unmeasured_ns = (segments - 2) * between_ns
    assert told == [segments * 10**6 + unmeasured_ns + first_looks_ns + Clock.TICK], "what is not measured apart is the segments' own"
