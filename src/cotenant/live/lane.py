"""Lane threads: one per lane and class, pinned; the OS preempts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import MappingProxyType
from typing import NamedTuple

from cotenant.backend import Session
from cotenant.backend.engine import CrashError
from cotenant.backend.scheduling import SchedulingClass, best_effort, pin
from cotenant.describe import Array
from cotenant.errors import BackendError
from cotenant.live.allowance import Allowance
from cotenant.live.haste import Haste
from cotenant.live.overhead import Overhead
from cotenant.live.stretch import Stretch

MEASURED = 8
"""Of so many segments that follow one another what lies before one is measured: to look at a thread's clock takes as long as that."""

Tensors = Mapping[str, Array]
NOTHING: Tensors = MappingProxyType({})


class Job(NamedTuple):
    """Run one segment: what to run it with, and on which inputs.

    `urgent` asks for the real-time class: for work that is planned not to fill its core. `stretch` has the segments that may follow.
    """

    slot: int
    request: int
    session: Session
    inputs: Tensors
    urgent: bool = False
    stretch: Stretch | None = None


class Done(NamedTuple):
    """Say what came of a job: outputs, or the cause of failure.

    `cpu_ns` is the CPU time of the thread, and of the one that ran for it, over all segments of the stretch; `crash`
    says that its engine's process ended or was not there, and whose that is.
    """

    job: Job
    outputs: Tensors
    failure: str
    cpu_ns: int
    crash: CrashError | None = None


Report = Callable[[Done], None]
Clock = Callable[[], int]
Fault = Callable[[BaseException], None]


@dataclass(slots=True, kw_only=True)
class LaneThread:
    """Run jobs one after the other on one core and report each: best effort, or `critical` ones, real-time within an allowance.

    `urgent` says that the first will ask for that class; `overhead` counts what the thread takes beside engines, deciding included. What
    follows a segment is looked up under the `lock` of who decides, by the `clock` (ns) that it goes by.
    """

    core: int | None
    critical: bool
    report: Report
    fault: Fault
    lock: AbstractContextManager[bool]
    clock: Clock
    inbox: SimpleQueue[Job | None] = field(default_factory=SimpleQueue)
    urgent: bool = False
    overhead: Overhead = field(default_factory=Overhead)
    _haste: Haste = field(default_factory=Haste)
    _allowance: Allowance = field(default_factory=lambda: Allowance(at_ns=0))
    _ended_ns: int = 0
    _charged_ns: int = 0
    _unmeasured: int = 0
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        name = f"cotenant-{'critical' if self.critical else 'rest'}-{self.core}"
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    @property
    def taken(self) -> SchedulingClass:
        """Return the class that the thread is in."""
        return self._haste.taken

    def start(self) -> None:
        """Start the thread; it takes its core and its class before its first job."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end after the job that it has; say whether it did in time."""
        self.inbox.put(None)
        if self._thread is threading.current_thread():
            return False  # it ends after the callback that asks for this
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _live(self) -> None:
        try:
            if self.core is not None:
                pin(self.core)
            if not self.critical:
                self._haste.taken = best_effort()
            self._allowance.at_ns = time.monotonic_ns()
            self._haste.take(urgent_now=self.critical and self.urgent)
            self._ended_ns = self._charged_ns = time.thread_time_ns()
            while (job := self.inbox.get()) is not None:
                self._serve(job)
        except BaseException as error:  # noqa: BLE001  # the top of a thread: whoever waits must be told
            self.fault(error)

    def _serve(self, job: Job) -> None:
        """Run a job, and what follows it on the lane; report the last segment."""
        session, inputs, urgent, stretch = job.session, job.inputs, job.urgent, job.stretch
        begun_ns = self._begin(urgent=urgent)
        while True:  # of what lies between two runs every line counts: an inference leaves nothing of it in the caches
            outputs, failure = _run(session, inputs)
            if stretch is None or failure is not None:
                break
            following, beside_ns = self._follow(stretch, urgent=urgent)
            begun_ns += beside_ns
            if following is None:
                break
            session, inputs = following, outputs
        self._ended_ns = time.thread_time_ns()
        elsewhere_ns = int(getattr(session, "elsewhere_ns", 0))
        self._charged_ns -= elsewhere_ns
        cpu_ns = self._ended_ns - begun_ns + elsewhere_ns
        crash = failure if isinstance(failure, CrashError) else None
        self.report(Done(job=job, outputs=outputs, failure="" if failure is None else str(failure), cpu_ns=cpu_ns, crash=crash))
        # The class in which the next job is waited for decides how soon it begins.
        self._hasten(urgent_now=urgent)

    def _begin(self, *, urgent: bool) -> int:
        """Return the thread's CPU time (ns) as a job begins, in its class."""
        self._hasten(urgent_now=urgent)
        begun_ns = time.thread_time_ns()
        self.overhead.add(begun_ns - self._ended_ns)
        return begun_ns

    def _follow(self, stretch: Stretch, *, urgent: bool) -> tuple[Session | None, int]:
        """Return what follows a segment, if anything, and what of the thread's CPU time (ns) finding it took, where that is measured."""
        if self._unmeasured < MEASURED - 1:
            following = self._next(stretch, urgent=urgent)
            self._unmeasured += following is not None
            return following, 0
        time.thread_time_ns()  # what the first look after an inference takes, who is not measured does not take
        ended_ns = time.thread_time_ns()
        following = self._next(stretch, urgent=urgent)
        if following is None:
            return None, 0
        beside_ns = time.thread_time_ns() - ended_ns
        self.overhead.add(beside_ns, MEASURED)
        self._unmeasured = 0
        return following, beside_ns

    def _next(self, stretch: Stretch, *, urgent: bool) -> Session | None:
        with self.lock:
            following = stretch.follow(self.clock())
        if urgent and following is not None:
            self._hasten(urgent_now=True)
        return following

    def _hasten(self, *, urgent_now: bool) -> None:
        """Take the real-time class for urgent work while the allowance lasts, or give it back."""
        if not urgent_now and self._haste.taken is not SchedulingClass.REALTIME:
            return
        before_ns, self._charged_ns = self._charged_ns, time.thread_time_ns()
        self._haste.take(urgent_now=urgent_now and self._allowance.lasts(time.monotonic_ns(), self._charged_ns - before_ns))


def _run(session: Session, inputs: Tensors) -> tuple[Tensors, BackendError | None]:
    """Run one segment; return its outputs, and why there are none."""
    try:
        return session.run(inputs), None
    except BackendError as error:
        return NOTHING, error
