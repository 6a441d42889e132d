"""What is outstanding: asked, queued, running, or waiting for an engine to come back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from cotenant.backend.engine import CrashError
from cotenant.describe import QUEUE_FULL, TENANT_REMOVED, TOO_LATE, Answer, Array, Outcome, Share, Tenant
from cotenant.dispatch import DROP, EVICT, RESUME, START, SUSPEND, Decision, Steps
from cotenant.dispatch.state import RUNNING, SUSPENDED
from cotenant.live.asked import Asked, Ended
from cotenant.live.away import Away
from cotenant.live.lane import NOTHING, Done, Job, Tensors
from cotenant.live.ledger import Ledger
from cotenant.live.pacing import Pacing
from cotenant.live.station import Station
from cotenant.live.stretch import Stretch


@dataclass(slots=True, kw_only=True)
class Ongoing:
    """Tell the dispatcher what happens, do what it decides, and note both; used under the device's lock alone.

    `start` hands a job to a lane, counted over all processors, and says whether it is critical.
    """

    tenants: tuple[Tenant, ...]
    dispatcher: Steps
    stations: tuple[Station, ...]
    ledger: Ledger
    start: Callable[[Job, int, bool], None]
    asked: dict[int, Asked] = field(default_factory=dict)
    away: Away = field(default_factory=Away)
    requests: int = 0
    pacing: Pacing | None = None
    _stretches: dict[int, Stretch] = field(default_factory=dict)
    _index: dict[str, int] = field(init=False)
    _within: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._index = {tenant.name: index for index, tenant in enumerate(self.tenants)}
        self._within = tuple(within for _, within in self.dispatcher.lineup.lanes)

    def catch_up(self, *, changes: bool = True) -> None:
        """Tell the dispatcher what lanes have done by themselves; where something `changes`, they ask at their next boundary."""
        for stretch in self._stretches.values():
            for now_ns in stretch.passed[stretch.noted :]:
                self._pass_on(stretch.slot, now_ns)
            stretch.noted = len(stretch.passed)
        if changes:
            for stretch in self._stretches.values():
                stretch.stop()
            self._stretches.clear()

    def _pass_on(self, slot: int, now_ns: int) -> None:
        request = self.asked[slot].request
        self.dispatcher.pass_on(slot, now_ns)
        self.ledger.passed(request, self.stations[self.dispatcher.stage(slot)].segment, now_ns)

    def arrive(self, tenant: str, inputs: Mapping[str, Array], future: Future[Answer], arrival_ns: int) -> None:
        """Queue a request; decide then."""
        request = self._numbered()
        due_ns = self._due_ns(tenant, arrival_ns)
        slot = self.dispatcher.arrive(request, self._index[tenant], arrival_ns, due_ns)
        option = self.stations[self.dispatcher.stage(slot)].option
        self.asked[slot] = Asked(request, inputs, future, arrival_ns, option)
        self.ledger.arrived(request, tenant, arrival_ns, due_ns, option)

    def pass_over(self, tenant: str, arrival_ns: int, now_ns: int) -> None:
        """Count a request that nobody could ask in time, as asked and dropped; KeyError for a stranger."""
        due_ns, request = self._due_ns(tenant, arrival_ns), self._numbered()
        self.ledger.arrived(request, tenant, arrival_ns, due_ns, "")
        self.ledger.ended(request, now_ns, Outcome.DROPPED, "asked too late")

    def is_open(self, job: Job) -> bool:
        """Say whether a job's request has not been answered yet, as it is when the device was closed."""
        asked = self.asked.get(job.slot)
        return asked is not None and asked.request == job.request

    def note(self, done: Done, now_ns: int) -> list[Ended]:
        """Note that a segment ended; return the request if it ended with it."""
        slot, request = done.job.slot, done.job.request
        self._stretches.pop(slot, None)
        if self.pacing is not None:
            self.pacing.ended(slot, done.cpu_ns, now_ns - self.asked[slot].arrival_ns, now_ns, failed=bool(done.failure))
        if done.failure:
            return [self.end(slot, Outcome.FAILED, done.failure, now_ns, done.cpu_ns)]
        station = self.stations[self.dispatcher.stage(slot)]
        if station.last:
            return [self.end(slot, Outcome.DONE, "", now_ns, done.cpu_ns, done.outputs)]
        self.ledger.stepped(request, now_ns, done.cpu_ns)
        if station.in_segments:
            known = self.asked[slot]
            self.asked[slot] = Asked(known.request, done.outputs, known.future, known.arrival_ns, known.option)
        return []

    def give_back(self, done: Done, now_ns: int) -> None:
        """Give the lanes of a segment that was noted back."""
        if done.failure:
            self.dispatcher.fail(done.job.slot)
        else:
            self.dispatcher.finish(done.job.slot, now_ns)

    def take_back(self, done: Done, crash: CrashError, now_ns: int) -> bool:
        """Keep a request whose engine's process is gone until another is there; once, if it had begun: it may be what ends them."""
        slot = done.job.slot
        request = self.asked[slot].request
        if not self.away.may_return(request, began=crash.began):
            return False
        self.dispatcher.fail(slot)
        if self.pacing is not None:
            self.pacing.forget(slot, now_ns)
        self.ledger.broken_off(request, now_ns, done.cpu_ns)
        self.asked[self.away.hold(crash.tenant, request)] = self.asked.pop(slot)
        return True

    def readmit(self, tenant: str) -> None:
        """Queue again what was kept of a tenant; options may have changed meanwhile."""
        self.catch_up()
        for key in self.away.released(tenant):
            asked = self.asked.pop(key)
            due_ns = self._due_ns(tenant, asked.arrival_ns)
            slot = self.dispatcher.arrive(asked.request, self._index[tenant], asked.arrival_ns, due_ns)
            option = self.stations[self.dispatcher.stage(slot)].option
            self.ledger.served_by(asked.request, option)
            self.asked[slot] = asked._replace(option=option)

    def change(self, tenants: tuple[Tenant, ...], shares: tuple[Share, ...], renewed: Collection[str], now_ns: int) -> list[Ended]:
        """Go over to another crew, then `follow`; return what waited of tenants that are gone, and so has ended."""
        self.catch_up()
        gone = self.dispatcher.apply(shares, tenants, renewed)
        names = {tenant.name for tenant in tenants}
        held = [key for name in self.away.tenants() if name not in names for key in self.away.released(name)]
        self.ledger.admit(names)
        return [self.end(slot, Outcome.DROPPED, TENANT_REMOVED, now_ns) for slot in (*gone, *held) if slot in self.asked]

    def follow(self, stations: tuple[Station, ...], renewed: Collection[str] = ()) -> None:
        """Go by the dispatcher's lineup from now on; what waits of the `renewed` has another option."""
        self.stations = stations
        self.tenants = self.dispatcher.lineup.tenants
        self._index = {tenant.name: index for index, tenant in enumerate(self.tenants)}
        slots = self.dispatcher.state.slots
        moved = [slot for slot in self.asked if slot >= 0 and slots[slot].begun == 0 and self.tenants[slots[slot].tenant].name in renewed]
        for slot in moved:
            option = stations[self.dispatcher.stage(slot)].option
            self.asked[slot] = self.asked[slot]._replace(option=option)
            self.ledger.served_by(self.asked[slot].request, option)

    def on_lanes(self) -> set[tuple[int, int, int]]:
        """List the segments that run or are suspended: slot, request, place in the chain."""
        self.catch_up(changes=False)
        return {(i, int(c.request), int(c.stage)) for i, c in enumerate(self.dispatcher.state.slots) if c.state in {RUNNING, SUSPENDED}}

    def refuse_held(self, tenant: str, fits: Callable[[Mapping[str, Array]], bool], now_ns: int) -> list[Ended]:
        """Fail what is kept of a tenant, for want of an engine process, and does not fit its new model; return it."""
        keys = self.away.released(tenant)
        for key in keys:
            if fits(self.asked[key].inputs):
                self.away.hold(tenant, self.asked[key].request)
        unfit = [key for key in keys if not fits(self.asked[key].inputs)]
        return [self.end(key, Outcome.FAILED, "its model was replaced, and takes other inputs", now_ns) for key in unfit]

    def flush(self, reason: str, now_ns: int) -> list[Ended]:
        """Drop what does not run."""
        self.catch_up()
        queued = [slot for slot in (*self.dispatcher.flush(), *self.away.flush()) if slot in self.asked]
        return [self.end(slot, Outcome.DROPPED, reason, now_ns) for slot in queued]

    def fail_all(self, reason: str, now_ns: int) -> list[Ended]:
        """Fail all that is outstanding."""
        self.catch_up()
        return [self.end(slot, Outcome.FAILED, reason, now_ns) for slot in list(self.asked)]

    def end(self, slot: int, outcome: Outcome, reason: str, now_ns: int, cpu_ns: int = 0, outputs: Tensors = NOTHING) -> Ended:
        """Note how a request ended; return it with its answer."""
        asked = self.asked.pop(slot)
        self.away.forget(asked.request)
        self.ledger.ended(asked.request, now_ns, outcome, reason, cpu_ns)
        latency_ns = now_ns - asked.arrival_ns
        return asked, Answer(outputs=outputs, outcome=outcome, latency_ns=latency_ns, option=asked.option, reason=reason)

    def decide(self, now_ns: int, reported: int | None = None) -> list[Ended]:
        """Ask the dispatcher and do as told; return the requests that ended by it. What a policy raises is raised.

        `reported` is the slot whose segment has ended, if that is why it is asked.
        """
        self.catch_up(changes=False)
        decisions = self.dispatcher.decide(now_ns)
        goes_on = reported is not None and decisions and all(d.slot == reported and d.kind == START for d in decisions)
        until_ns = now_ns if self.pacing is not None else self.dispatcher.steady_ns(now_ns)
        if not goes_on:
            self._review(now_ns)
        if self.pacing is not None:
            self.pacing.decided(decisions, now_ns)
        ended = self._do(decisions, now_ns, until_ns)
        return [*ended, *self._make_room(now_ns)] if self.away.tenants() else ended

    def _make_room(self, now_ns: int) -> list[Ended]:
        """Drop the oldest of what is kept for want of an engine process, where it is more than may wait."""
        bounds = [(name, self.tenants[self._index[name]].most_waiting) for name in self.away.tenants()]
        gone = [key for name, most in bounds if most is not None for key in self.away.crowded_out(name, most)]
        return [self.end(key, Outcome.DROPPED, QUEUE_FULL, now_ns) for key in gone]

    def _review(self, now_ns: int) -> None:
        """Have all ask at their next boundary who might not go first there, whoever waits by now."""
        for slot, stretch in list(self._stretches.items()):
            stretch.until_ns = min(stretch.until_ns, self.dispatcher.stays_ns(slot, now_ns))
            if stretch.until_ns <= now_ns:
                stretch.stop()
                del self._stretches[slot]

    def _do(self, decisions: Sequence[Decision], now_ns: int, until_ns: int) -> list[Ended]:
        dropped = []
        wide: dict[int, list[int]] = {}
        for decision in decisions:
            match decision.kind:
                case kind if kind == START:
                    wide.setdefault(decision.slot, []).append(decision.lane)
                case kind if kind == SUSPEND:
                    self.ledger.suspended(decision.request, now_ns)
                case kind if kind == RESUME:
                    self.ledger.resumed(decision.request, now_ns)
                case kind if kind == DROP:
                    dropped.append(self.end(decision.slot, Outcome.DROPPED, TOO_LATE, now_ns))
                case kind if kind == EVICT:
                    dropped.append(self.end(decision.slot, Outcome.DROPPED, QUEUE_FULL, now_ns))
        for slot, lanes in wide.items():
            self._start(slot, lanes, now_ns, until_ns)
        return dropped

    def _start(self, slot: int, lanes: list[int], now_ns: int, until_ns: int) -> None:
        asked, station = self.asked[slot], self.stations[self.dispatcher.stage(slot)]
        own = tuple(self._within[lane] for lane in lanes)
        self.ledger.started(asked.request, station.segment, station.processor, own, now_ns)
        onward = station.onward.get(lanes[0], ()) if until_ns > now_ns else ()
        stretch = Stretch(slot=slot, sessions=onward, until_ns=until_ns) if onward else None
        if stretch is not None:
            self._stretches[slot] = stretch
        job = Job(slot, asked.request, station.sessions[lanes[0]], asked.inputs, station.urgent, stretch)
        self.start(job, lanes[0], station.critical)

    def _numbered(self) -> int:
        self.requests += 1
        return self.requests - 1

    def _due_ns(self, tenant: str, arrival_ns: int) -> int | None:
        deadline_ns = self.tenants[self._index[tenant]].deadline_ns
        return None if deadline_ns is None else arrival_ns + deadline_ns
