"""Lane threads: one per lane and class, pinned; the OS preempts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue

from cotenant.backend import Session
from cotenant.backend.scheduling import SchedulingClass, best_effort, normal, pin, urgent
from cotenant.describe import Array
from cotenant.errors import BackendError
from cotenant.live.allowance import Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Run one segment: what to run it with, and on which inputs.

    `urgent` asks for the real-time class: for work that is planned not to fill its core.
    """

    slot: int
    request: int
    session: Session
    inputs: Mapping[str, Array]
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Say what came of a job: outputs, or the cause of failure; `cpu_ns` is the thread's own CPU time."""

    job: Job
    outputs: Mapping[str, Array]
    failure: str
    cpu_ns: int


Report = Callable[[Done], None]
Fault = Callable[[BaseException], None]


@dataclass(slots=True, kw_only=True)
class LaneThread:
    """Run jobs one after the other on one core and report each: best effort, or `critical` ones, real-time within an allowance.

    `urgent` says that the first will ask for that class.
    """

    core: int | None
    critical: bool
    report: Report
    fault: Fault
    inbox: SimpleQueue[Job | None] = field(default_factory=SimpleQueue)
    taken: SchedulingClass = SchedulingClass.NORMAL
    urgent: bool = False
    _refused: bool = False
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        name = f"cotenant-{'critical' if self.critical else 'rest'}-{self.core}"
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

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
                self.taken = best_effort()
            allowance = Allowance(at_ns=time.monotonic_ns())
            self._hasten(urgent_now=self.critical and self.urgent)
            while (job := self.inbox.get()) is not None:
                self._hasten(urgent_now=job.urgent and allowance.lasts(time.monotonic_ns()))
                begun_ns = time.thread_time_ns()
                self.report(_run(job))
                # The class in which the next job is waited for decides how soon it begins.
                lasts = allowance.lasts(time.monotonic_ns(), time.thread_time_ns() - begun_ns)
                self._hasten(urgent_now=job.urgent and lasts)
        except BaseException as error:  # noqa: BLE001  # the top of a thread: whoever waits must be told
            self.fault(error)

    def _hasten(self, *, urgent_now: bool) -> None:
        """Take the real-time class, or give it back; what the system refuses once is not asked for again."""
        if urgent_now and not self._refused and self.taken is not SchedulingClass.REALTIME:
            self.taken = urgent()
            self._refused = self.taken is not SchedulingClass.REALTIME
        elif not urgent_now and self.taken is SchedulingClass.REALTIME:
            self.taken = normal()


def _run(job: Job) -> Done:
    begun_ns = time.thread_time_ns()
    outputs: Mapping[str, Array] = {}
    failure = ""
    try:
        outputs = job.session.run(job.inputs)
    except BackendError as error:
        failure = str(error)
    return Done(job=job, outputs=outputs, failure=failure, cpu_ns=time.thread_time_ns() - begun_ns)
