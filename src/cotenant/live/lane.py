"""Lane threads: one per lane and class, pinned; the OS preempts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import NamedTuple

from cotenant.backend import Session
from cotenant.backend.engine import CrashError
from cotenant.backend.scheduling import SchedulingClass, best_effort, pin
from cotenant.describe import Array
from cotenant.errors import BackendError
from cotenant.live.allowance import Allowance
from cotenant.live.haste import Haste
from cotenant.live.overhead import Overhead


class Job(NamedTuple):
    """Run one segment: what to run it with, and on which inputs.

    `urgent` asks for the real-time class: for work that is planned not to fill its core.
    """

    slot: int
    request: int
    session: Session
    inputs: Mapping[str, Array]
    urgent: bool = False


class Done(NamedTuple):
    """Say what came of a job: outputs, or the cause of failure; `cpu_ns` is the CPU time of the thread, and of the one that ran for it.

    `crash` says that its engine's process ended or was not there, and whose that is.
    """

    job: Job
    outputs: Mapping[str, Array]
    failure: str
    cpu_ns: int
    crash: CrashError | None = None


Report = Callable[[Done], None]
Fault = Callable[[BaseException], None]


@dataclass(slots=True, kw_only=True)
class LaneThread:
    """Run jobs one after the other on one core and report each: best effort, or `critical` ones, real-time within an allowance.

    `urgent` says that the first will ask for that class; `overhead` counts what the thread takes beside engines, deciding included.
    """

    core: int | None
    critical: bool
    report: Report
    fault: Fault
    inbox: SimpleQueue[Job | None] = field(default_factory=SimpleQueue)
    urgent: bool = False
    overhead: Overhead = field(default_factory=Overhead)
    _haste: Haste = field(default_factory=Haste)
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
            allowance = Allowance(at_ns=time.monotonic_ns())
            self._haste.take(urgent_now=self.critical and self.urgent)
            ended_ns = time.thread_time_ns()
            while (job := self.inbox.get()) is not None:
                self._haste.take(urgent_now=job.urgent and allowance.lasts(time.monotonic_ns()))
                engine_ns = self._serve(job)
                before_ns, ended_ns = ended_ns, time.thread_time_ns()
                taken_ns = ended_ns - before_ns + _elsewhere_ns(job.session)
                self.overhead.add(taken_ns - engine_ns)
                # The class in which the next job is waited for decides how soon it begins.
                self._haste.take(urgent_now=job.urgent and allowance.lasts(time.monotonic_ns(), taken_ns))
        except BaseException as error:  # noqa: BLE001  # the top of a thread: whoever waits must be told
            self.fault(error)

    def _serve(self, job: Job) -> int:
        """Run a job and report it; return the CPU time of the run."""
        done = _run(job)
        self.report(done)
        return done.cpu_ns


def _run(job: Job) -> Done:
    begun_ns = time.thread_time_ns()
    outputs: Mapping[str, Array] = {}
    failure = ""
    crash: CrashError | None = None
    try:
        outputs = job.session.run(job.inputs)
    except CrashError as error:
        failure, crash = str(error), error
    except BackendError as error:
        failure = str(error)
    cpu_ns = time.thread_time_ns() - begun_ns + _elsewhere_ns(job.session)
    return Done(job=job, outputs=outputs, failure=failure, cpu_ns=cpu_ns, crash=crash)


def _elsewhere_ns(session: Session) -> int:
    return int(getattr(session, "elsewhere_ns", 0))
