"""An engine without models: for tests, and for trying a crew."""

from __future__ import annotations

import math
import signal
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cotenant.describe import Array, Precision, Tensor
from cotenant.errors import BackendError

_SCRATCH = bytes(1 << 16)  # large enough for crc32 to release the interpreter's lock


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRun:
    """Note one run: the `index`-th (from 0) of this file stem, and the thread that made it."""

    stem: str
    precision: Precision
    index: int
    thread: int


def burn(duration_ns: int) -> None:
    """Spend CPU time of the calling thread, other threads running meanwhile, as an inference would."""
    stop_ns = time.thread_time_ns() + duration_ns
    while time.thread_time_ns() < stop_ns:
        zlib.crc32(_SCRATCH)


class Gate:
    """Hold every run until it is let through; give `gate.spend` to a Fake."""

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._arrived = 0
        self._held = 0
        self._passes = 0.0

    def spend(self, _duration_ns: int) -> None:
        """Wait for one pass, and take it."""
        with self._state:
            self._arrived += 1
            self._held += 1
            self._state.notify_all()
            self._state.wait_for(lambda: self._passes >= 1)
            self._passes -= 1
            self._held -= 1

    @property
    def held(self) -> int:
        """Return how many runs wait for a pass now."""
        with self._state:
            return self._held

    def release(self, runs: float = 1) -> None:
        """Let that many runs through, now or when they come; `math.inf` for all."""
        with self._state:
            self._passes += runs
            self._state.notify_all()

    def arrived(self, runs: int, timeout_s: float = 10.0) -> bool:
        """Wait until that many runs have begun, in all; False if they do not within the time."""
        with self._state:
            return self._state.wait_for(lambda: self._arrived >= runs, timeout_s)


class Fake:
    """Answer by a pure function of the inputs, in the time, and with the failures, that it was given.

    Models are told apart by the stem of their file's name; the file need not exist unless `needs_files`.
    `outputs` lists a stem's outputs (without an entry the inputs come back); `duration_ns` is by (stem, precision), 0
    without an entry, and is handed to `spend`; `fails` has the indices of a stem's runs that raise BackendError,
    counted from 0 over all its sessions.

    For processes that may be spared: `dies` has the signals by which a stem's runs, by index, end the process that they are in,
    `hangs` the runs that sleep for ever, `spins` those that compute for ever, and `swells` the bytes that each run of a stem takes
    and keeps. A copy in another process counts for itself.
    """

    def __init__(
        self,
        *,
        outputs: Mapping[str, tuple[Tensor, ...]] | None = None,
        duration_ns: Mapping[tuple[str, Precision], int] | None = None,
        spend: Callable[[int], None] = burn,
        fails: Mapping[str, Container[int]] | None = None,
        dies: Mapping[str, Mapping[int, int]] | None = None,
        hangs: Mapping[str, Container[int]] | None = None,
        spins: Mapping[str, Container[int]] | None = None,
        swells: Mapping[str, int] | None = None,
        needs_files: bool = False,
        precisions: tuple[Precision, ...] = tuple(Precision),
        shares_sessions: bool = True,
        runs_wide: bool = True,
        name: str = "fake",
    ) -> None:
        self._outputs = dict(outputs or {})
        self._duration_ns = dict(duration_ns or {})
        self._spend = spend
        self._fails = dict(fails or {})
        self._dies = {stem: dict(runs) for stem, runs in (dies or {}).items()}
        self._hangs = dict(hangs or {})
        self._spins = dict(spins or {})
        self._swells = dict(swells or {})
        self._swollen: list[bytearray] = []
        self._needs_files = needs_files
        self._precisions = precisions
        self._lock = threading.Lock()
        self._runs: list[FakeRun] = []
        self._counts: Counter[str] = Counter()
        self._loads: Counter[tuple[str, Precision]] = Counter()
        self.name = name
        self.version = "1"
        self.shares_sessions = shares_sessions
        self.runs_wide = runs_wide

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_lock": None, "_runs": [], "_counts": Counter(), "_loads": Counter(), "_swollen": []}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    @property
    def runs(self) -> tuple[FakeRun, ...]:
        """Return every run so far, in the order in which they began."""
        with self._lock:
            return tuple(self._runs)

    @property
    def loads(self) -> Mapping[tuple[str, Precision], int]:
        """Return how often each (stem, precision) was loaded."""
        with self._lock:
            return dict(self._loads)

    @property
    def divider(self) -> None:
        """Return nothing: it has no network to take apart."""

    def precisions(self) -> tuple[Precision, ...]:
        """List what it was told to offer; all without being told."""
        return self._precisions

    def load(self, path: Path, precision: Precision, *, threads: int = 1) -> FakeSession:
        """Return a session at once, however many threads; BackendError for a precision or file that is not there."""
        if precision not in self._precisions:
            raise BackendError(self.name, f"{precision.value} is not offered")
        if threads < 1:
            raise BackendError(self.name, f"{threads} threads; 1 or more")
        if self._needs_files and not path.is_file():
            raise BackendError(self.name, f"{path}: no such file")
        with self._lock:
            self._loads[path.stem, precision] += 1
        return FakeSession(self, path.stem, precision)

    def load_chain(self, paths: Sequence[Path], precision: Precision) -> tuple[FakeSession, ...]:
        """Return a session for each segment, each told apart by its stem as a model is."""
        return tuple(self.load(path, precision) for path in paths)

    def answer(self, stem: str, precision: Precision, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Note a run, spend its time, then fail or answer as told."""
        with self._lock:
            index = self._counts[stem]
            self._counts[stem] += 1
            self._runs.append(FakeRun(stem=stem, precision=precision, index=index, thread=threading.get_ident()))
        self._spend(self._duration_ns.get((stem, precision), 0))
        self._suffer(stem, index)
        if index in self._fails.get(stem, ()):
            raise BackendError(self.name, f"{stem}: run {index} fails as told")
        specs = self._outputs.get(stem)
        return echo(inputs) if specs is None else answers(inputs, specs)

    def _suffer(self, stem: str, index: int) -> None:
        """Take memory, never return, or die, as told for this run."""
        if taken_bytes := self._swells.get(stem):
            self._swollen.append(bytearray(b"x") * taken_bytes)
        if index in self._hangs.get(stem, ()):
            threading.Event().wait()
        while index in self._spins.get(stem, ()):
            zlib.crc32(_SCRATCH)
        if ending := self._dies.get(stem, {}).get(index):
            signal.raise_signal(ending)


class FakeSession:
    """Run a stem's fake model; BackendError once closed, or for two threads at once where sessions are not shared."""

    def __init__(self, engine: Fake, stem: str, precision: Precision) -> None:
        self._engine = engine
        self._stem = stem
        self._precision = precision
        self._closed = False
        self._alone = threading.Lock()

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Answer one request as the engine was told to."""
        if self._closed:
            raise BackendError(self._engine.name, f"{self._stem}: the session is closed")
        if self._engine.shares_sessions:
            return self._engine.answer(self._stem, self._precision, inputs)
        if not self._alone.acquire(blocking=False):
            raise BackendError(self._engine.name, f"{self._stem}: two threads in a session that is not shared")
        try:
            return self._engine.answer(self._stem, self._precision, inputs)
        finally:
            self._alone.release()

    def close(self) -> None:
        """Refuse every later run."""
        self._closed = True


def echo(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return copies of the inputs, by their names."""
    return {name: array.copy() for name, array in inputs.items()}


def answers(inputs: Mapping[str, Array], outputs: tuple[Tensor, ...]) -> Mapping[str, Array]:
    """Return per output the weighted sum of the inputs' means plus 0, 1, 2, ... over its elements.

    The k-th input by name has weight k, from 1: linear, so that what is expected can be worked out by hand.
    """
    means = (float(inputs[name].astype(np.float64).mean()) for name in sorted(inputs))
    level = sum(weight * mean for weight, mean in enumerate(means, start=1))
    return {o.name: (level + np.arange(math.prod(o.shape)).reshape(o.shape)).astype(o.dtype) for o in outputs}


fake = Fake()
