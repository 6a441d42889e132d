"""Serving: each event takes the lock, tells the dispatcher, and does what it decides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from cotenant.describe import Answer, Array, Platform, Tenant
from cotenant.dispatch import Steps
from cotenant.errors import CotenantError, InputError
from cotenant.live.asked import Ended, answer
from cotenant.live.inputs import Specs
from cotenant.live.lane import Done
from cotenant.live.lanes import Lanes
from cotenant.live.ledger import Ledger
from cotenant.live.ongoing import Ongoing
from cotenant.live.timer import Timer


@dataclass(slots=True, kw_only=True)
class Serving:
    """Answer lanes, timers and clients; lane threads report their own finishes, so that a lane's next segment needs no other to wake.

    `specs` are what each tenant's model takes; `receives` says whether the process of a tenant's engine takes requests, if it has one.
    `closed` says why none is accepted any more, `broken` by which defect: empty where there is no such.
    """

    tenants: tuple[Tenant, ...]
    platform: Platform
    dispatcher: Steps
    ledger: Ledger
    clock: Callable[[], int]
    receives: Callable[[str], bool]
    specs: Mapping[str, Specs]
    closed: str = ""
    broken: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    idle: threading.Condition = field(init=False)
    timer: Timer = field(init=False)
    lanes: Lanes = field(init=False)
    ongoing: Ongoing = field(init=False)
    _reporting: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.idle = threading.Condition(self.lock)
        self.timer = Timer(clock=self.clock, ring=self.tick)
        self.lanes = Lanes(platform=self.platform, report=self.report, fault=self.fault, lock=self.lock, clock=self.clock)
        self.ongoing = Ongoing(tenants=self.tenants, dispatcher=self.dispatcher, stations=(), ledger=self.ledger, start=self.lanes.start)

    def accept(self, tenant: str, inputs: Mapping[str, Array], future: Future[Answer], arrival_ns: int | None) -> list[Ended]:
        """Queue a request that was checked, and decide; return what has ended by it."""
        now_ns = self.clock()
        self.ongoing.arrive(tenant, inputs, future, now_ns if arrival_ns is None else arrival_ns)
        # In a callback, the report that made it decides for all of it, unless a lane is free meanwhile.
        waits = getattr(self._reporting, "now", False) and not self.ongoing.dispatcher.has_free_lane()
        return [] if waits else self.decide(now_ns)

    def refuse_closed(self) -> None:
        """InputError where nothing is accepted any more."""
        if self.closed:
            raise InputError("device", self.closed, "an open device")

    def report(self, done: Done) -> None:
        """Take a lane thread's report: answer (which may submit more), give the lane back, then decide once for all of it.

        The lane is held until this thread can use it: should the system not let it run, others take what is queued.
        """
        with self.lock:
            now_ns = self.clock()
            self.ongoing.catch_up(changes=False)
            accepted = self.ongoing.is_open(done.job) and not self._takes_back(done)
            ended = self.counted(self.ongoing.note(done, now_ns)) if accepted else []
            dropped = [] if ended else self._go_on(done, now_ns, accepted=accepted)
        if ended:
            self._reporting.now = True
            answer(ended)
            self._reporting.now = False
            with self.lock:
                dropped = self._go_on(done, self.clock(), accepted=accepted)
        answer(dropped)

    def _go_on(self, done: Done, now_ns: int, *, accepted: bool) -> list[Ended]:
        """Give the lanes back, and decide."""
        if accepted:
            self.ongoing.give_back(done, now_ns)
        return self.decide(now_ns, done.job.slot)

    def _takes_back(self, done: Done) -> bool:
        """Say whether a request is kept because its engine's process is gone."""
        if done.crash is None or self.closed or not self._is_served(done.crash.tenant, done.job.inputs):
            return False
        if not self.ongoing.take_back(done, done.crash, self.clock()):
            return False
        self.readmit(done.crash.tenant)
        return True

    def _is_served(self, tenant: str, inputs: Mapping[str, Array]) -> bool:
        """Say whether these could be asked of a tenant now."""
        return tenant in self.specs and self.specs[tenant].fits(inputs)

    def back(self, tenant: str) -> None:
        """Take the news that a tenant's engine process is there again, or given up."""
        with self.lock:
            self.readmit(tenant)
            self.timer.set(self.clock())

    def readmit(self, tenant: str) -> None:
        """Queue again what was kept of a tenant, if it can be answered or refused now."""
        if not self.closed and tenant in self.specs and self.receives(tenant):
            self.ongoing.readmit(tenant)

    def decide(self, now_ns: int, reported: int | None = None) -> list[Ended]:
        """Ask the dispatcher and do as told; return the requests that ended by it. `reported`: as `Ongoing.decide`."""
        if self.closed:
            return []
        try:
            ended = self.counted(self.ongoing.decide(now_ns, reported))
        except Exception as error:  # noqa: BLE001  # a policy is anybody's code, and what it left half done is nobody's
            return self._break(error)
        self.timer.set(self.ongoing.dispatcher.wake_ns(now_ns))
        return ended

    def counted(self, ended: list[Ended]) -> list[Ended]:
        """Tell who waits for it when nothing is outstanding any more; return what has ended."""
        if not self.ongoing.asked:
            self.idle.notify_all()
        return ended

    def tick(self) -> None:
        """Decide, since an instant has come."""
        with self.lock:
            dropped = self.decide(self.clock())
        answer(dropped)

    def fault(self, error: BaseException) -> None:
        """Take the news that a lane thread has ended by a defect."""
        with self.lock:
            failed = self._break(error)
        answer(failed)

    def _break(self, error: BaseException) -> list[Ended]:
        """Accept nothing any more, and fail all that is outstanding with the cause; return it."""
        self.broken = self.broken or (str(error) if isinstance(error, CotenantError) else repr(error))
        self.closed = self.closed or f"broken: {self.broken}"
        return self.counted(self.ongoing.fail_all(self.closed, self.clock()))
