"""Timing: alone, on its own cores, and never in the way of the caller."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from cotenant.backend.fake import Fake
from cotenant.describe import Judged, Precision, Tensor
from cotenant.errors import BackendError
from cotenant.profile.samples import Samples
from cotenant.profile.timing import FEWEST_RUNS, Effort, Trial, measure

SAMPLES = Samples(
    inputs={"x": np.zeros((4, 2), np.float32)}, tensors=(Tensor(name="x", dtype="float32", shape=(1, 2)),), judged=Judged.GENERATED
)
QUICK = Effort(warm_ns=0, runs=15, enough_ns=0, limit_ns=10**12, tries=1)


def trial(engine: Fake, cores: tuple[int, ...] = (), width: int = 1) -> Trial:
    return Trial(engine=engine, file=Path("m.onnx"), precision=Precision.FP32, cores=cores, width=width)


def watching(seen: list[object], look: Callable[[], object]) -> Fake:
    return Fake(spend=lambda _: seen.append(look()))


def test_it_warms_up_then_runs_as_often_as_asked() -> None:
    engine = Fake()
    assert measure(trial(engine), SAMPLES, QUICK).runs == 15
    assert len(engine.runs) == FEWEST_RUNS + 15


def test_a_slow_model_is_run_three_times() -> None:
    assert measure(trial(Fake()), SAMPLES, Effort(warm_ns=0, runs=15, enough_ns=10**12, limit_ns=0, tries=1)).runs == FEWEST_RUNS


def test_the_cpu_time_is_that_of_the_thread_that_runs() -> None:
    burnt_ns = 2_000_000  # of CPU time, counted by the same clock: it can only be more
    assert measure(trial(Fake(duration_ns={("m", Precision.FP32): burnt_ns})), SAMPLES, QUICK).cpu_ns >= burnt_ns


class Clock:
    """Tell a time that moves only when it is spent."""

    def __init__(self, spends_ns: Iterable[int]) -> None:
        self.now_ns = 0
        self.spends_ns = iter(spends_ns)

    def spend(self, _: int) -> None:
        self.now_ns += next(self.spends_ns)

    def perf_counter_ns(self) -> int:
        return self.now_ns

    def thread_time_ns(self) -> int:
        return self.now_ns // 2


def test_medians_and_spread_are_those_of_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock([999] * FEWEST_RUNS + [40, 10, 20, 30, 50])
    monkeypatch.setattr("cotenant.profile.timing.time", clock)
    found = measure(trial(Fake(spend=clock.spend)), SAMPLES, replace(QUICK, runs=5))
    assert (found.wall_ns, found.cpu_ns, found.runs) == (30, 15, 5)
    assert found.spread == pytest.approx((40 - 20) / 30)


def test_a_disturbed_measurement_is_tried_again_and_the_calmest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    warm, disturbed, calm = [1] * FEWEST_RUNS, [10, 30, 50], [20, 20, 20]
    clock = Clock([*warm, *disturbed, *calm])  # a third try would find no more to spend
    monkeypatch.setattr("cotenant.profile.timing.time", clock)
    found = measure(trial(Fake(spend=clock.spend)), SAMPLES, replace(QUICK, runs=3, tries=3))
    assert (found.wall_ns, found.spread) == (20, 0)


def test_tries_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(chain([1] * FEWEST_RUNS, [10, 30, 50], [10, 20, 30]))
    monkeypatch.setattr("cotenant.profile.timing.time", clock)
    found = measure(trial(Fake(spend=clock.spend)), SAMPLES, replace(QUICK, runs=3, tries=2))
    assert (found.wall_ns, found.spread) == (20, 0.5)  # (25 - 15) / 20, calmer than (40 - 20) / 30


def test_it_runs_on_its_cores_and_leaves_the_caller_on_its_own() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    seen: list[object] = []
    measure(trial(watching(seen, lambda: os.sched_getaffinity(0)), cores=(core,)), SAMPLES, QUICK)
    assert set(map(frozenset, seen)) == {frozenset({core})}  # type: ignore[arg-type]
    assert os.sched_getaffinity(0) == before


def test_it_runs_in_one_thread_that_is_not_the_callers() -> None:
    seen: list[object] = []
    measure(trial(watching(seen, threading.get_ident)), SAMPLES, QUICK)
    assert len(set(seen)) == 1
    assert threading.get_ident() not in seen


def test_a_core_that_is_not_permitted_is_no_reason_to_fail() -> None:
    assert measure(trial(Fake(), cores=(10_000,)), SAMPLES, QUICK).runs == 15


def test_an_engine_that_fails_is_told_to_the_caller() -> None:
    with pytest.raises(BackendError, match="fails as told"):
        measure(trial(Fake(fails={"m": range(FEWEST_RUNS + 4, 1000)})), SAMPLES, QUICK)


def test_an_interrupt_stops_the_work_after_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    running, told = threading.Event(), threading.Event()

    def spend(_: int) -> None:
        running.set()
        told.wait(10)

    def interrupted(*_: object) -> None:
        running.wait(10)
        raise KeyboardInterrupt

    engine = Fake(spend=spend)
    monkeypatch.setattr("cotenant.profile.timing.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure(trial(engine), SAMPLES, Effort(warm_ns=0, runs=10**9, enough_ns=0, limit_ns=10**15))
    told.set()
    for thread in threading.enumerate():
        if thread.name == "cotenant-timing":
            thread.join(10)
    assert not [thread for thread in threading.enumerate() if thread.name == "cotenant-timing"]
