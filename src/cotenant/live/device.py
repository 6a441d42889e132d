"""The live device: the dispatcher stepped by real lanes."""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType

from cotenant.backend import Engine
from cotenant.describe import Answer, Array, Card, Count, Crew, Plan, Platform, Share
from cotenant.dispatch import Dispatcher, Steps
from cotenant.errors import CotenantError, InputError
from cotenant.live.asked import Ended, answer
from cotenant.live.inputs import Specs
from cotenant.live.lane import Done, Job, LaneThread
from cotenant.live.ledger import Ledger
from cotenant.live.loaded import Loaded
from cotenant.live.ongoing import Ongoing
from cotenant.live.overhead import Overhead, joined
from cotenant.live.station import Station, stations
from cotenant.live.terms import leaves_room, worth_loading
from cotenant.live.timer import Timer
from cotenant.live.ward import Health
from cotenant.live.wards import Wards, refuse_beyond_budgets
from cotenant.policy import named, policies
from cotenant.registry import nearest
from cotenant.trace import Trace

STOP_S = 0.6
"""How long `close` waits for what runs."""


class LiveDevice:
    """Serve a crew on this machine; use it as a context manager, or `close` it.

    Every event takes the lock, tells the dispatcher, and does what it decides; lane threads report their own
    finishes, so that a lane's next segment needs no other thread to wake.
    """

    def __init__(
        self,
        *,
        crew: Crew,
        platform: Platform,
        cards: Sequence[Card],
        plan: Plan,
        engines: Sequence[Engine],
        keeps_trace: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
        dispatchers: Callable[..., Steps] = Dispatcher,
    ) -> None:
        self._crew, self._platform, self._plan, self._clock = crew, platform, plan, clock
        self._cards = {card.tenant: card for card in cards}
        tenants = crew.workload.tenants
        policy = named(policies, crew.policy, "policy")
        shares = worth_loading(plan)
        dispatcher = dispatchers(tenants, shares, platform, policy, name=crew.policy, params=crew.params)
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._reporting = threading.local()
        self._closed = ""
        self._broken = ""
        self._timer = Timer(clock=clock, ring=self._tick)
        self._specs = {name: Specs(card.model) for name, card in self._cards.items()}
        self._ledger = Ledger(tenants=tuple(t.name for t in tenants), start_ns=clock(), keeps=keeps_trace)
        self._ongoing = Ongoing(tenants=tenants, dispatcher=dispatcher, stations=(), ledger=self._ledger, start=self._start)
        self._wards = Wards.of(tenants, self._cards, platform, engines, self._back, self._fault)
        self._loaded = Loaded(engines={e.name: e for e in engines}, cards=self._cards, platform=platform, wards=self._wards.by_tenant)
        self._load_first(shares)
        self._ongoing.stations = self._stations(dispatcher, plan)
        self._ledger.start_ns = clock()
        self._lanes = self._lane_threads()
        self._timer.start()
        for thread in self._lanes.values():
            thread.start()
        atexit.register(self.close)  # an interpreter that ends while an engine runs would abort

    def __enter__(self) -> LiveDevice:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def plan(self) -> Plan:
        """Return the plan that is served."""
        return self._plan

    @property
    def closed(self) -> str:
        """Say why no request is accepted any more; empty while they are."""
        return self._closed

    @property
    def broken(self) -> str:
        """Say by which defect the device came to its end; empty where there was none."""
        return self._broken

    def submit(self, tenant: str, inputs: Mapping[str, Array], *, arrival_ns: int | None = None) -> Future[Answer]:
        """Accept one request; the arrays must not be changed before it is answered.

        `arrival_ns` is the scheduled arrival by CLOCK_MONOTONIC, now if None; latency counts from it. InputError for a
        stranger, for tensors that do not fit, and on a closed device. Callbacks of the future run in the lane's thread,
        which serves nobody meanwhile: they may submit and close, but should neither wait for an answer nor exit.
        """
        if tenant not in self._specs:
            raise InputError("tenant", tenant, nearest(str(tenant), tuple(self._specs)))
        self._specs[tenant].check(tenant, inputs)
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                raise InputError("device", self._closed, "an open device")
            now_ns = self._clock()
            self._ongoing.arrive(tenant, inputs, future, now_ns if arrival_ns is None else arrival_ns)
            # In a callback, the report that made it decides for all of it, unless a lane is free meanwhile.
            waits = getattr(self._reporting, "now", False) and not self._ongoing.dispatcher.has_free_lane()
            ended = [] if waits else self._decide(now_ns)
        answer(ended)
        return future

    def pass_over(self, tenant: str, arrival_ns: int) -> None:
        """Count a request that its client could not ask in time, as asked and dropped; KeyError for a stranger."""
        with self._lock:
            self._ongoing.pass_over(tenant, arrival_ns, self._clock())

    async def infer(self, tenant: str, inputs: Mapping[str, Array]) -> Answer:
        """Await one request's answer; as `submit`."""
        return await asyncio.wrap_future(self.submit(tenant, inputs))

    def stats(self) -> Mapping[str, Count]:
        """Count every tenant's requests so far."""
        with self._lock:
            return self._ledger.counts()

    def apply(self, plan: Plan) -> None:
        """Serve by another plan of the same crew; its options are loaded first, nothing outstanding is lost."""
        shares = worth_loading(plan)
        self._load(shares)
        with self._lock:
            self._ongoing.dispatcher.apply(shares)
            self._ongoing.stations = self._stations(self._ongoing.dispatcher, plan)
            self._plan = plan
            ended = self._decide(self._clock())
        answer(ended)

    def start_clock(self) -> int:
        """Begin the trace now; return the instant (CLOCK_MONOTONIC ns). InputError once something was asked."""
        with self._lock:
            if self._ongoing.requests:
                raise InputError("device", "already in use", "a start before the first request")
            self._ledger.start_ns = self._clock()
            return self._ledger.start_ns

    def trace(self, stop_ns: int) -> Trace:
        """Return what happened in [0, stop_ns) since the start and after; only with `keeps_trace`."""
        with self._lock:
            return self._ledger.trace(stop_ns, self._platform.name, self._crew.policy, self._crew.workload.seed)

    def health(self) -> Mapping[str, Health]:
        """Tell how the engine process of each isolated tenant is."""
        return {name: ward.health for name, ward in self._wards.by_tenant.items()}

    def overhead(self) -> Overhead:
        """Tell what the lanes' threads have taken beside engines, segment by segment."""
        return joined(thread.overhead for thread in self._lanes.values())

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is outstanding; say whether that came in time."""
        with self._lock:
            return self._idle.wait_for(lambda: not self._ongoing.asked, timeout_s)

    def close(self, reason: str = "stopped") -> None:
        """Refuse new requests, drop those that wait, give those that run a moment; every one is answered or counted.

        Closing again does what an interrupted one has left to do.
        """
        with self._lock:
            self._closed = self._closed or reason
            waiting = self._counted(self._ongoing.flush(reason, self._clock()))
        answer(waiting)
        self.drain(STOP_S)
        self._timer.stop()
        with self._lock:
            running = self._counted(self._ongoing.fail_all(f"{reason} while it ran", self._clock()))
        answer(running)
        self._wards.close()
        ended = [thread.stop(0.1) for thread in self._lanes.values()]
        if all(ended):
            self._loaded.close()
            atexit.unregister(self.close)

    def _load_first(self, shares: Sequence[Share]) -> None:
        """Load what the plan serves; where that fails, leave no process behind."""
        try:
            self._load(shares)
        except BaseException:
            self._wards.close()
            raise

    def _load(self, shares: Sequence[Share]) -> None:
        options = [share.option for share in shares]
        refuse_beyond_budgets(self._crew.workload.tenants, options)
        self._loaded.load(options)

    def _stations(self, dispatcher: Steps, plan: Plan) -> tuple[Station, ...]:
        urgent = leaves_room(self._crew.workload.tenants, plan)
        return stations(dispatcher.lineup, self._loaded, urgent=urgent)

    def _lane_threads(self) -> dict[tuple[int, bool], LaneThread]:
        tenants = self._crew.workload.tenants
        classes = {tenant.rank == 0 for tenant in tenants}
        urgent = leaves_room(tenants, self._plan)
        cores = [core for p in self._platform.processors for core in (p.cores or (None,) * p.lanes)]
        return {
            (lane, critical): LaneThread(core=core, critical=critical, urgent=urgent, report=self._report, fault=self._fault)
            for lane, core in enumerate(cores)
            for critical in classes
        }

    def _start(self, job: Job, lane: int, critical: bool) -> None:  # noqa: FBT001  # as a lane is found
        self._lanes[lane, critical].inbox.put(job)

    def _report(self, done: Done) -> None:
        """Take a lane thread's report: answer (which may submit more), give the lane back, then decide once for all of it.

        The lane is held until this thread can use it: should the system not let it run, others take what is queued.
        """
        with self._lock:
            now_ns = self._clock()
            accepted = self._ongoing.is_open(done.job) and not self._takes_back(done)
            ended = self._counted(self._ongoing.note(done, now_ns)) if accepted else []
            dropped = [] if ended else self._go_on(done, now_ns, accepted=accepted)
        if ended:
            self._reporting.now = True
            answer(ended)
            self._reporting.now = False
            with self._lock:
                dropped = self._go_on(done, self._clock(), accepted=accepted)
        answer(dropped)

    def _go_on(self, done: Done, now_ns: int, *, accepted: bool) -> list[Ended]:
        """Give the lanes back, and decide."""
        if accepted:
            self._ongoing.give_back(done, now_ns)
        return self._decide(now_ns)

    def _takes_back(self, done: Done) -> bool:
        """Say whether a request is kept because its engine's process is gone."""
        if done.crash is None or self._closed or not self._ongoing.take_back(done, done.crash, self._clock()):
            return False
        self._readmit(done.crash.tenant)
        return True

    def _back(self, tenant: str) -> None:
        """Take the news that a tenant's engine process is there again, or given up."""
        with self._lock:
            self._readmit(tenant)
            self._timer.set(self._clock())

    def _readmit(self, tenant: str) -> None:
        """Queue again what was kept of a tenant, if it can be answered or refused now."""
        if not self._closed and self._wards.by_tenant[tenant].receives:
            self._ongoing.readmit(tenant)

    def _decide(self, now_ns: int) -> list[Ended]:
        """Ask the dispatcher and do as told; return the requests that ended by it."""
        if self._closed:
            return []
        try:
            ended = self._counted(self._ongoing.decide(now_ns))
        except Exception as error:  # noqa: BLE001  # a policy is anybody's code, and what it left half done is nobody's
            return self._break(error)
        self._timer.set(self._ongoing.dispatcher.wake_ns(now_ns))
        return ended

    def _counted(self, ended: list[Ended]) -> list[Ended]:
        """Tell who waits for it when nothing is outstanding any more; return what has ended."""
        if not self._ongoing.asked:
            self._idle.notify_all()
        return ended

    def _tick(self) -> None:
        with self._lock:
            dropped = self._decide(self._clock())
        answer(dropped)

    def _fault(self, error: BaseException) -> None:
        """Take the news that a lane thread has ended by a defect."""
        with self._lock:
            failed = self._break(error)
        answer(failed)

    def _break(self, error: BaseException) -> list[Ended]:
        """Accept nothing any more, and fail all that is outstanding with the cause; return it."""
        self._broken = self._broken or (str(error) if isinstance(error, CotenantError) else repr(error))
        self._closed = self._closed or f"broken: {self._broken}"
        return self._counted(self._ongoing.fail_all(self._closed, self._clock()))
