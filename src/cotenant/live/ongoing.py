"""What is outstanding: asked, queued, running, or waiting for an engine to come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import MappingProxyType

from cotenant.backend.engine import CrashError
from cotenant.describe import QUEUE_FULL, TOO_LATE, Answer, Array, Outcome, Tenant
from cotenant.dispatch import DROP, EVICT, RESUME, START, SUSPEND, Decision, Steps
from cotenant.live.asked import Asked, Ended
from cotenant.live.away import Away
from cotenant.live.lane import Done, Job
from cotenant.live.ledger import Ledger
from cotenant.live.station import Station

Outputs = Mapping[str, Array]
NOTHING: Outputs = MappingProxyType({})


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
    _index: dict[str, int] = field(init=False)
    _within: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._index = {tenant.name: index for index, tenant in enumerate(self.tenants)}
        self._within = tuple(within for _, within in self.dispatcher.lineup.lanes)

    def arrive(self, tenant: str, inputs: Mapping[str, Array], future: Future[Answer], arrival_ns: int) -> None:
        """Queue a request."""
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
        self.ledger.broken_off(request, now_ns, done.cpu_ns)
        self.asked[self.away.hold(crash.tenant, request)] = self.asked.pop(slot)
        return True

    def readmit(self, tenant: str) -> None:
        """Queue again what was kept of a tenant; options may have changed meanwhile."""
        for key in self.away.released(tenant):
            asked = self.asked.pop(key)
            due_ns = self._due_ns(tenant, asked.arrival_ns)
            slot = self.dispatcher.arrive(asked.request, self._index[tenant], asked.arrival_ns, due_ns)
            option = self.stations[self.dispatcher.stage(slot)].option
            self.ledger.served_by(asked.request, option)
            self.asked[slot] = asked._replace(option=option)

    def flush(self, reason: str, now_ns: int) -> list[Ended]:
        """Drop what does not run."""
        queued = [slot for slot in (*self.dispatcher.flush(), *self.away.flush()) if slot in self.asked]
        return [self.end(slot, Outcome.DROPPED, reason, now_ns) for slot in queued]

    def fail_all(self, reason: str, now_ns: int) -> list[Ended]:
        """Fail all that is outstanding."""
        return [self.end(slot, Outcome.FAILED, reason, now_ns) for slot in list(self.asked)]

    def end(self, slot: int, outcome: Outcome, reason: str, now_ns: int, cpu_ns: int = 0, outputs: Outputs = NOTHING) -> Ended:
        """Note how a request ended; return it with its answer."""
        asked = self.asked.pop(slot)
        self.away.forget(asked.request)
        self.ledger.ended(asked.request, now_ns, outcome, reason, cpu_ns)
        latency_ns = now_ns - asked.arrival_ns
        return asked, Answer(outputs=outputs, outcome=outcome, latency_ns=latency_ns, option=asked.option, reason=reason)

    def decide(self, now_ns: int) -> list[Ended]:
        """Ask the dispatcher and do as told; return the requests that ended by it. What a policy raises is raised."""
        return self._do(self.dispatcher.decide(now_ns), now_ns)

    def _do(self, decisions: Sequence[Decision], now_ns: int) -> list[Ended]:
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
            self._start(slot, lanes, now_ns)
        return dropped

    def _start(self, slot: int, lanes: list[int], now_ns: int) -> None:
        asked, station = self.asked[slot], self.stations[self.dispatcher.stage(slot)]
        own = tuple(self._within[lane] for lane in lanes)
        self.ledger.started(asked.request, station.segment, station.processor, own, now_ns)
        job = Job(slot=slot, request=asked.request, session=station.sessions[lanes[0]], inputs=asked.inputs, urgent=station.urgent)
        self.start(job, lanes[0], station.critical)

    def _numbered(self) -> int:
        self.requests += 1
        return self.requests - 1

    def _due_ns(self, tenant: str, arrival_ns: int) -> int | None:
        deadline_ns = self.tenants[self._index[tenant]].deadline_ns
        return None if deadline_ns is None else arrival_ns + deadline_ns
