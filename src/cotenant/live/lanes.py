"""The threads of all lanes: one for each lane and class that somebody needs."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from cotenant.describe import Platform
from cotenant.live.lane import Clock, Fault, Job, LaneThread, Report
from cotenant.live.overhead import Overhead, joined

JOIN_S = 5.0
"""How long a thread that has nothing to do is waited for."""


@dataclass(slots=True, kw_only=True)
class Lanes:
    """Hand jobs to lanes, counted over all processors; `critical` is whether a job is of rank 0."""

    platform: Platform
    report: Report
    fault: Fault
    lock: AbstractContextManager[bool]
    clock: Clock
    _threads: dict[tuple[int, bool], LaneThread] = field(default_factory=dict)
    _past: Overhead = field(default_factory=Overhead)

    def need(self, classes: Collection[bool], *, urgent: bool) -> None:
        """Start the threads of those classes, critical or not, that have none yet; `urgent` says that the first will ask for that."""
        cores = [core for p in self.platform.processors for core in (p.cores or (None,) * p.lanes)]
        fresh = {
            (lane, critical): LaneThread(
                core=core, critical=critical, urgent=urgent, report=self.report, fault=self.fault, lock=self.lock, clock=self.clock
            )
            for critical in sorted(classes)
            for lane, core in enumerate(cores)
            if (lane, critical) not in self._threads
        }
        for thread in fresh.values():
            thread.start()
        self._threads = {**self._threads, **fresh}

    def keep(self, classes: Collection[bool]) -> None:
        """End the threads of the other classes; they must have no job, nor get one."""
        ended = {key: thread for key, thread in self._threads.items() if key[1] not in classes}
        self._threads = {key: thread for key, thread in self._threads.items() if key not in ended}
        for thread in ended.values():
            thread.stop(JOIN_S)
        self._past = joined([self._past, *(thread.overhead for thread in ended.values())])

    def start(self, job: Job, lane: int, critical: bool) -> None:  # noqa: FBT001  # as a lane is found
        """Hand a job to the thread of a lane and class."""
        self._threads[lane, critical].inbox.put(job)

    def stop(self, timeout_s: float) -> bool:
        """Ask all threads to end after the job that they have; say whether they did, each in time."""
        ended = [thread.stop(timeout_s) for thread in self._threads.values()]
        return all(ended)

    def overhead(self) -> Overhead:
        """Tell what the threads have taken beside engines, segment by segment."""
        return joined([self._past, *(thread.overhead for thread in self._threads.values())])
