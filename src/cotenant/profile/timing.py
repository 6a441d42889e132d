"""How long one inference takes, alone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from cotenant.backend import Engine
from cotenant.backend.hugepages import collapse
from cotenant.describe import Precision
from cotenant.profile.samples import Samples

T = TypeVar("T")

FEWEST_RUNS: Final = 3
CALM: Final = 0.25
"""A model alone on its core spreads by some hundredths; by more than this where others take the core from it."""
_STATM: Final = Path("/proc/self/statm")
"""Sizes of this process in pages; the second is what is resident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Say how long to warm up, and how long to measure: `runs` and `enough_ns`, both, but three runs suffice after `limit_ns`.

    Where the spread shows that others disturbed it, it is measured again, `tries` times at most, and the calmest try counts.
    """

    warm_ns: int = 50_000_000
    runs: int = 15
    enough_ns: int = 300_000_000
    limit_ns: int = 800_000_000
    tries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Hold medians of the wall and CPU time of a run, the spread (p75 - p25) / median of the wall time, and what stays resident."""

    wall_ns: int
    cpu_ns: int
    spread: float
    runs: int
    resident_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Say what to load, and on how many lanes; without `cores` the system chooses them."""

    engine: Engine
    file: Path
    precision: Precision
    width: int = 1
    cores: tuple[int, ...] = ()


def measure(trial: Trial, samples: Samples, effort: Effort) -> Measured:
    """Load and time a model, pinned to its cores, in a thread of its own; BackendError if the engine fails."""
    with _Watch(effort) as watch:
        return watch.do(lambda: _measure(trial, samples, watch))


class _Watch:
    """Do work in a fresh thread, whose affinity dies with it; leaving the block early stops the work after its current run."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self._stopped = threading.Event()

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()

    def do(self, work: Callable[[], T]) -> T:
        """Wait for the work; what it raises is raised here."""
        future: Future[T] = Future()
        threading.Thread(target=_fulfil, args=(future, work), name="cotenant-timing").start()
        return future.result()

    def repeat(self, run: Callable[[], object], clock_ns: Callable[[], int], runs: int, enough_ns: int, limit_ns: int) -> _Times:
        """Run until there are enough runs that took long enough, but few enough for the limit; time each."""
        times = _Times(wall_ns=[], cpu_ns=[])
        begin_ns = time.perf_counter_ns()
        while True:
            start_cpu_ns, start_ns = clock_ns(), time.perf_counter_ns()
            run()
            stop_ns, stop_cpu_ns = time.perf_counter_ns(), clock_ns()
            times.wall_ns.append(stop_ns - start_ns)
            times.cpu_ns.append(stop_cpu_ns - start_cpu_ns)
            count, spent_ns = len(times.wall_ns), stop_ns - begin_ns
            if (count >= runs and spent_ns >= enough_ns) or (count >= FEWEST_RUNS and spent_ns >= limit_ns) or self._stopped.is_set():
                return times

    def calmest(self, run: Callable[[], object], clock_ns: Callable[[], int]) -> _Times:
        """Repeat as often as the effort says, and again while disturbed; return the try of the least spread."""
        effort = self.effort
        best = self.repeat(run, clock_ns, effort.runs, effort.enough_ns, effort.limit_ns)
        for _ in range(1, effort.tries):
            if best.spread <= CALM or self._stopped.is_set():
                break
            again = self.repeat(run, clock_ns, effort.runs, effort.enough_ns, effort.limit_ns)
            best = min(best, again, key=lambda times: times.spread)
        return best


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Hold the wall and the CPU time of each run."""

    wall_ns: list[int]
    cpu_ns: list[int]

    @property
    def spread(self) -> float:
        """Return (p75 - p25) / median of the wall time."""
        low, middle, high = np.percentile(self.wall_ns, (25, 50, 75))
        return float((high - low) / max(middle, 1))


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - the top of a thread: whoever waits must hear of it, or waits for ever
        future.set_exception(error)


def _measure(trial: Trial, samples: Samples, watch: _Watch) -> Measured:
    _pin(trial.cores)
    before_bytes = _resident_bytes()
    session = trial.engine.load(trial.file, trial.precision, threads=trial.width)
    try:
        effort = watch.effort
        requests = cycle([samples.request(index) for index in range(min(len(samples), effort.runs))])
        clock_ns = time.thread_time_ns if trial.width == 1 else time.process_time_ns
        watch.repeat(lambda: session.run(next(requests)), clock_ns, FEWEST_RUNS, effort.warm_ns, effort.warm_ns)
        resident_bytes = max(_resident_bytes() - before_bytes, 0)
        collapse()  # as when it serves
        times = watch.calmest(lambda: session.run(next(requests)), clock_ns)
    finally:
        session.close()
    return Measured(
        wall_ns=max(1, round(float(np.median(times.wall_ns)))), cpu_ns=round(float(np.median(times.cpu_ns))), spread=times.spread,
        runs=len(times.wall_ns), resident_bytes=resident_bytes,
    )  # fmt: skip


def _pin(cores: tuple[int, ...]) -> None:
    """Keep the calling thread, and threads that it starts, on these cores, if that is permitted."""
    if cores and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, cores)


def _resident_bytes() -> int:
    """Return what of this process is in memory; 0 where the system does not tell."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
