"""The live device: the dispatcher stepped by real lanes."""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType, TracebackType

from cotenant.backend import Engine
from cotenant.describe import Answer, Array, Card, Count, Crew, Outcome, Plan, Platform
from cotenant.dispatch import DROP, RESUME, START, SUSPEND, Decision, Dispatcher
from cotenant.errors import CotenantError, InputError
from cotenant.live.asked import Asked, Ended, answer
from cotenant.live.inputs import Specs
from cotenant.live.lane import Done, Job, LaneThread
from cotenant.live.ledger import Ledger
from cotenant.live.loaded import Loaded
from cotenant.live.station import Station, stations
from cotenant.live.terms import leaves_room, worth_loading
from cotenant.live.timer import Timer
from cotenant.policy import named, policies
from cotenant.registry import nearest
from cotenant.trace import Trace

STOP_S = 0.6
"""How long `close` waits for what runs."""

Outputs = Mapping[str, Array]
NOTHING: Outputs = MappingProxyType({})


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
    ) -> None:
        self._crew, self._platform, self._plan, self._clock = crew, platform, plan, clock
        self._cards = {card.tenant: card for card in cards}
        self._tenants = {t.name: index for index, t in enumerate(crew.workload.tenants)}
        self._deadlines_ns = tuple(t.deadline_ns for t in crew.workload.tenants)
        policy = named(policies, crew.policy, "policy")
        shares = worth_loading(plan)
        self._dispatcher = Dispatcher(crew.workload.tenants, shares, platform, policy, name=crew.policy, params=crew.params)
        self._loaded = Loaded(engines={e.name: e for e in engines}, cards=self._cards, platform=platform)
        self._loaded.load(s.option for s in shares)
        self._stations = self._stations_by(plan)
        self._specs = {name: Specs(card.model) for name, card in self._cards.items()}
        self._ledger = Ledger(tenants=tuple(self._tenants), start_ns=clock(), keeps=keeps_trace)
        self._lock = threading.RLock()
        self._reporting = threading.local()
        self._asked: dict[int, Asked] = {}
        self._next = 0
        self._closed = ""
        self._broken = ""
        self._idle = threading.Condition(self._lock)
        self._within = tuple(within for _, within in self._dispatcher.lineup.lanes)
        self._lanes = self._lane_threads()
        self._timer = Timer(clock=clock, ring=self._tick)
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
        if tenant not in self._tenants:
            raise InputError("tenant", tenant, nearest(str(tenant), tuple(self._tenants)))
        self._specs[tenant].check(tenant, inputs)
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()
        with self._lock:
            if self._closed:
                raise InputError("device", self._closed, "an open device")
            now_ns = self._clock()
            self._arrive(tenant, inputs, future, now_ns if arrival_ns is None else arrival_ns)
            # In a callback, the report that made it decides for all of it, unless a lane is free meanwhile.
            waits = getattr(self._reporting, "now", False) and not self._dispatcher.has_free_lane()
            ended = [] if waits else self._decide(now_ns)
        answer(ended)
        return future

    def pass_over(self, tenant: str, arrival_ns: int) -> None:
        """Count a request that its client could not ask in time, as asked and dropped; KeyError for a stranger."""
        deadline_ns = self._deadlines_ns[self._tenants[tenant]]
        with self._lock:
            request = self._next
            self._next += 1
            self._ledger.arrived(request, tenant, arrival_ns, None if deadline_ns is None else arrival_ns + deadline_ns, "")
            self._ledger.ended(request, self._clock(), Outcome.DROPPED, "asked too late")

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
        self._loaded.load(s.option for s in shares)
        with self._lock:
            self._dispatcher.apply(shares)
            self._stations = self._stations_by(plan)
            self._plan = plan
            ended = self._decide(self._clock())
        answer(ended)

    def start_clock(self) -> int:
        """Begin the trace now; return the instant (CLOCK_MONOTONIC ns). InputError once something was asked."""
        with self._lock:
            if self._next:
                raise InputError("device", "already in use", "a start before the first request")
            self._ledger.start_ns = self._clock()
            return self._ledger.start_ns

    def trace(self, stop_ns: int) -> Trace:
        """Return what happened in [0, stop_ns) since the start and after; only with `keeps_trace`."""
        with self._lock:
            return self._ledger.trace(stop_ns, self._platform.name, self._crew.policy, self._crew.workload.seed)

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is outstanding; say whether that came in time."""
        with self._lock:
            return self._idle.wait_for(lambda: not self._asked, timeout_s)

    def close(self, reason: str = "stopped") -> None:
        """Refuse new requests, drop those that wait, give those that run a moment; every one is answered or counted.

        Closing again does what an interrupted one has left to do.
        """
        with self._lock:
            self._closed = self._closed or reason
            queued = [slot for slot in self._dispatcher.flush() if slot in self._asked]
            waiting = [self._end(slot, Outcome.DROPPED, reason, self._clock()) for slot in queued]
        answer(waiting)
        self.drain(STOP_S)
        self._timer.stop()
        with self._lock:
            running = [self._end(slot, Outcome.FAILED, f"{reason} while it ran", self._clock()) for slot in list(self._asked)]
        answer(running)
        ended = [thread.stop(0.1) for thread in self._lanes.values()]
        if all(ended):
            self._loaded.close()
            atexit.unregister(self.close)

    def _stations_by(self, plan: Plan) -> tuple[Station, ...]:
        urgent = leaves_room(self._crew.workload.tenants, plan)
        return stations(self._dispatcher.lineup, self._loaded, urgent=urgent)

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

    def _arrive(self, tenant: str, inputs: Mapping[str, Array], future: Future[Answer], arrival_ns: int) -> None:
        request = self._next
        self._next += 1
        index = self._tenants[tenant]
        deadline_ns = self._deadlines_ns[index]
        due_ns = None if deadline_ns is None else arrival_ns + deadline_ns
        slot = self._dispatcher.arrive(request, index, arrival_ns, due_ns)
        option = self._stations[self._dispatcher.stage(slot)].option
        self._asked[slot] = Asked(request, inputs, future, arrival_ns, option)
        self._ledger.arrived(request, tenant, arrival_ns, due_ns, option)

    def _report(self, done: Done) -> None:
        """Take a lane thread's report: answer (which may submit more), give the lane back, then decide once for all of it.

        The lane is held until this thread can use it: should the system not let it run, others take what is queued.
        """
        with self._lock:
            asked = self._asked.get(done.job.slot)
            accepted = asked is not None and asked.request == done.job.request  # else answered already, when the device was closed
            ended = self._noted(done, self._clock()) if accepted else []
        self._reporting.now = True
        answer(ended)
        self._reporting.now = False
        with self._lock:
            if accepted and done.failure:
                self._dispatcher.fail(done.job.slot)
            elif accepted:
                self._dispatcher.finish(done.job.slot, self._clock())
            dropped = self._decide(self._clock())
        answer(dropped)

    def _noted(self, done: Done, now_ns: int) -> list[Ended]:
        """Note that a segment ended; return the request if it ended with it."""
        slot, request = done.job.slot, done.job.request
        if done.failure:
            return [self._end(slot, Outcome.FAILED, done.failure, now_ns, done.cpu_ns)]
        if self._stations[self._dispatcher.stage(slot)].last:
            return [self._end(slot, Outcome.DONE, "", now_ns, done.cpu_ns, done.outputs)]
        self._ledger.stepped(request, now_ns, done.cpu_ns)
        return []

    def _end(self, slot: int, outcome: Outcome, reason: str, now_ns: int, cpu_ns: int = 0, outputs: Outputs = NOTHING) -> Ended:
        asked = self._asked.pop(slot)
        self._ledger.ended(asked.request, now_ns, outcome, reason, cpu_ns)
        if not self._asked:
            self._idle.notify_all()
        latency_ns = now_ns - asked.arrival_ns
        return asked, Answer(outputs=outputs, outcome=outcome, latency_ns=latency_ns, option=asked.option, reason=reason)

    def _decide(self, now_ns: int) -> list[Ended]:
        """Ask the dispatcher and do as told; return the requests that ended by it."""
        if self._closed:
            return []
        try:
            return self._do(self._dispatcher.decide(now_ns), now_ns)
        except Exception as error:  # noqa: BLE001  # a policy is anybody's code, and what it left half done is nobody's
            return self._break(error)

    def _do(self, decisions: Sequence[Decision], now_ns: int) -> list[Ended]:
        dropped = []
        wide: dict[int, list[int]] = {}
        for decision in decisions:
            match decision.kind:
                case kind if kind == START:
                    wide.setdefault(decision.slot, []).append(decision.lane)
                case kind if kind == SUSPEND:
                    self._ledger.suspended(decision.request, now_ns)
                case kind if kind == RESUME:
                    self._ledger.resumed(decision.request, now_ns)
                case kind if kind == DROP:
                    dropped.append(self._end(decision.slot, Outcome.DROPPED, "too late", now_ns))
        for slot, lanes in wide.items():
            self._start(slot, lanes, now_ns)
        self._timer.set(self._dispatcher.wake_ns(now_ns))
        return dropped

    def _start(self, slot: int, lanes: list[int], now_ns: int) -> None:
        asked, station = self._asked[slot], self._stations[self._dispatcher.stage(slot)]
        own = tuple(self._within[lane] for lane in lanes)
        self._ledger.started(asked.request, station.segment, station.processor, own, now_ns)
        job = Job(slot=slot, request=asked.request, session=station.sessions[lanes[0]], inputs=asked.inputs, urgent=station.urgent)
        self._lanes[lanes[0], station.critical].inbox.put(job)

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
        return [self._end(slot, Outcome.FAILED, self._closed, self._clock()) for slot in list(self._asked)]
