"""The laws of dispatching, over random crews, plans, policies and events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import (
    Artifact,
    Closed,
    Discipline,
    Memory,
    Option,
    Periodic,
    Platform,
    Precision,
    Preemption,
    Processor,
    Share,
    Source,
    Step,
    Tenant,
)
from cotenant.dispatch import DROP, NONE, RESUME, START, SUSPEND, Decision, Dispatcher, Lineup, State
from cotenant.dispatch.lineup import CLOSED_DEPTH_S, OPEN_DEPTH, OPEN_REFILL
from cotenant.dispatch.promises import WARM_NS
from cotenant.dispatch.state import QUEUED_LATE
from cotenant.policy import NEVER_NS, READY, RUNNING, Candidate, Policy, Scene, policies

MS = 1_000_000


def board(lanes: tuple[int, ...], preemption: Preemption = Preemption.INSTANT) -> Platform:
    processors = tuple(Processor(name=f"p{i}", kind="k", lanes=n, memory="dram", preemption=preemption) for i, n in enumerate(lanes))
    return Platform(name="b", processors=processors, memories=(Memory(name="dram", capacity_bytes=1),))


def option(tenant: str, *steps: tuple[str, int, int]) -> Option:
    artifact = Artifact(model=tenant, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1)
    chain = tuple(Step(segment=i, processor=p, width=w, duration_ns=ns) for i, (p, w, ns) in enumerate(steps))
    return Option(tenant=tenant, artifact=artifact, chain=chain, demand=(), latency_ns=sum(s.duration_ns for s in chain))


def tenant(
    name: str, rank: int, *, closed: int | None = None, deadline_ns: int | None = None, drop: bool = False, weight: float = 1.0
) -> Tenant:
    arrival = Periodic(every_ns=10 * MS) if closed is None else Closed(outstanding=closed)
    discipline = Discipline.DROP_LATE if drop else Discipline.IN_ORDER
    source = Source(model="zoo:x")
    return Tenant(name=name, source=source, arrival=arrival, rank=rank, weight=weight, deadline_ns=deadline_ns, discipline=discipline)


def shares(*pairs: tuple[Option, float]) -> tuple[Share, ...]:
    return tuple(Share(option=o, rate_per_s=r) for o, r in pairs)


def _last_first(candidate: Candidate, scene: Scene) -> float:
    return scene.params[0] * candidate.arrival_ns


POLICIES = {
    **{name: policies.get(name) for name in policies.names()},
    "rank, without preemption": replace(policies.get("rank"), preempts=False),
    "all alike": Policy(order=lambda _, __: 0.0),
    "last first": Policy(order=_last_first, params=(("sign", -1.0),)),
}
"""Those that we ship, and some that are as odd as the interface permits."""

ANY_POLICY = st.sampled_from(list(POLICIES.values()))

Place = tuple[Option, int]
"""An option, and an index into its chain."""


@dataclass
class Ticket:
    """One outstanding request, as it was reported."""

    request: int
    tenant: int
    arrival_ns: int
    due_ns: int
    option: Option
    at: int = 0

    @property
    def place(self) -> Place:
        return self.option, self.at

    @property
    def step(self) -> Step:
        return self.option.chain[self.at]

    @property
    def remaining_ns(self) -> int:
        return sum(step.duration_ns for step in self.option.chain[self.at :])


class Books:
    """A second account, kept in plain words from what was reported and decided: it refuses whatever is against a law.

    Requests, not slots, and options, not stages, are its keys, so that nothing in it changes with another plan.
    """

    def __init__(self, lineup: Lineup, policy: Policy) -> None:
        self.policy, self.now_ns = policy, 0
        self._bind(lineup)
        self.tickets: dict[int, Ticket] = {}
        self.waiting: dict[Place, list[int]] = defaultdict(list)
        self.late: set[int] = set()
        self.runs: dict[int, int] = {}
        self.parked: dict[int, int] = {}
        self.warm: dict[int, Place] = {}
        self.taken: dict[Option, int] = defaultdict(int)
        self.tokens = [self._depth(i) if self._is_open(i) else min(1.0, self._depth(i)) for i in range(len(lineup.tenants))]

    def _bind(self, lineup: Lineup) -> None:
        """Note what a plan says, once."""
        self.lineup, self.tenants, self.options = lineup, lineup.tenants, lineup.options
        self.places: list[Place] = [(option, at) for option in self.options for at in range(len(option.chain))]
        self.processors = {p.name: (index, p) for index, p in enumerate(lineup.platform.processors)}
        self.lanes_of = {name: [lane for lane, (p, _) in enumerate(lineup.lanes) if p == i] for name, (i, _) in self.processors.items()}
        self.rates = [sum(s.rate_per_s for s in lineup.shares if s.option.tenant == t.name) for t in self.tenants]

    def _is_open(self, tenant: int) -> bool:
        return isinstance(self.tenants[tenant].arrival, Periodic)

    def _depth(self, tenant: int) -> float:
        rate = self.rates[tenant]
        if rate == 0.0:
            return 0.0
        return max(OPEN_DEPTH, rate) if self._is_open(tenant) else 2.0 + CLOSED_DEPTH_S * rate

    def _earns_per_ns(self, tenant: int) -> float:
        return self.rates[tenant] * (OPEN_REFILL if self._is_open(tenant) else 1.0) / 1_000_000_000

    def _idle(self, processor: str) -> list[int]:
        """List the lanes that run nothing and owe nothing to a suspended request."""
        return [lane for lane in self.lanes_of[processor] if lane not in self.runs and lane not in self.parked]

    def _interrupts(self, ticket: Ticket) -> bool:
        """Say whether the request may ever interrupt another where it is now."""
        return (
            self.policy.preempts and self.processors[ticket.step.processor][1].preemption is Preemption.INSTANT and self._critical(ticket)
        )

    def _critical(self, ticket: Ticket) -> bool:
        return self.tenants[ticket.tenant].rank == 0

    def _hopeless_ns(self, ticket: Ticket) -> int:
        """Return the first instant at which the request cannot be in time, were it alone."""
        return ticket.due_ns - ticket.remaining_ns + 1

    def earned(self, ticket: Ticket, *, warm: bool) -> bool:
        """Say whether the request's start is promised work, on a warm lane or not."""
        ahead = self._earns_per_ns(ticket.tenant) * WARM_NS if warm else 0.0
        return ticket.at > 0 or self.tokens[ticket.tenant] >= 1.0 - ahead

    def is_warm(self, place: Place) -> bool:
        return any(self.warm.get(lane) == place for lane in self._idle(place[0].chain[place[1]].processor))

    def candidate(self, request: int, state: int) -> Candidate:
        """Describe a request as the policy should be told."""
        ticket = self.tickets[request]
        tenant = self.tenants[ticket.tenant]
        return Candidate(
            tenant=ticket.tenant,
            option=self.options.index(ticket.option),
            stage=ticket.at,
            request=request,
            processor=self.processors[ticket.step.processor][0],
            state=state,
            rank=tenant.rank,
            weight=tenant.weight,
            arrival_ns=ticket.arrival_ns,
            due_ns=ticket.due_ns,
            earned=int(state == RUNNING or self.earned(ticket, warm=self.is_warm(ticket.place))),
            late=int(state == READY and request in self.late),
            remaining_ns=ticket.remaining_ns,
            segment_ns=ticket.step.duration_ns,
            waited_ns=self.now_ns - ticket.arrival_ns,
        )

    def value(self, request: int, state: int) -> float:
        return self.policy.order(self.candidate(request, state), Scene(self.now_ns, (), [value for _, value in self.policy.params]))

    def arrive(self, ticket: Ticket) -> None:
        """Note an arrival: it takes an option such that none falls behind its share by one request or more."""
        self.tickets[ticket.request] = ticket
        self.waiting[ticket.place].append(ticket.request)
        self.taken[ticket.option] += 1
        own = [s for s in self.lineup.ordered if s.option.tenant == ticket.option.tenant]
        rate = sum(s.rate_per_s for s in own)
        asked = sum(self.taken[s.option] for s in own)
        for share in own if rate else ():
            assert self.taken[share.option] > asked * share.rate_per_s / rate - 1.0 - 1e-9
            assert share.rate_per_s > 0 or not self.taken[share.option]

    def finish(self, request: int) -> bool:
        """Note a finished segment; say whether the request has ended, which is after its whole chain."""
        ticket = self.tickets[request]
        self._leave(request)
        ticket.at += 1
        if ticket.at == len(ticket.option.chain):
            del self.tickets[request]
            return True
        self.waiting[ticket.place].append(request)
        return False

    def end(self, request: int) -> None:
        """Note that a request ended, wherever it was."""
        self._leave(request)
        self._dequeue(self.tickets.pop(request))

    def _leave(self, request: int) -> None:
        for lanes in (self.runs, self.parked):
            for lane in [lane for lane, held in lanes.items() if held == request]:
                del lanes[lane]

    def _dequeue(self, ticket: Ticket) -> None:
        self.late.discard(ticket.request)
        if ticket.request in self.waiting[ticket.place]:
            self.waiting[ticket.place].remove(ticket.request)

    def settle(self, now_ns: int) -> None:
        """Let time pass: tokens are earned, and heads that cannot be in time any more are late for good."""
        passed_ns, self.now_ns = now_ns - self.now_ns, now_ns
        for i, tokens in enumerate(self.tokens):
            self.tokens[i] = min(self._depth(i), tokens + self._earns_per_ns(i) * passed_ns)
        for queue in self.waiting.values():
            for request in queue:
                if request not in self.late:
                    if self._hopeless_ns(self.tickets[request]) > now_ns:
                        break
                    self.late.add(request)

    def heads(self) -> Iterator[Ticket]:
        """List who could go next: of each place the first that is in time, and the first that is late."""
        for queue in self.waiting.values():
            for late in (False, True):
                yield from [self.tickets[r] for r in queue if (r in self.late) == late][:1]

    def check_asked(self, asked: Sequence[tuple[Candidate, float]], decisions: Sequence[Decision]) -> None:
        """What a policy is told is true, and whoever starts first goes before all who could have."""
        known: dict[int, tuple[Candidate, float]] = {}
        heads = {ticket.request for ticket in self.heads()}
        for candidate, value in asked:
            truth = self.candidate(candidate.request, candidate.state)
            assert candidate.state == RUNNING or candidate.request in self.waiting[self.tickets[candidate.request].place]
            if candidate.state == READY and candidate.request in heads and candidate.request not in known:
                known[candidate.request] = candidate, value
                assert candidate == truth
            assert candidate._replace(earned=0) == truth._replace(earned=0)
        for start in [d for d in decisions if d.kind == START][:1]:
            one, value = known[start.request]
            for other, better in known.values():
                if (1 - other.earned, better, other.rank) < (1 - one.earned, value, one.rank) and other.processor == one.processor:
                    step = self.tickets[other.request].step
                    taken_over = start.lane in self.parked or (SUSPEND, start.lane) in [(d.kind, d.lane) for d in decisions]
                    assert step.width == 1, "wide work that waits keeps the lanes from all behind it"
                    assert other.rank > 0, "rank 0 can go wherever another of rank 0 can"
                    assert taken_over, "who goes before others starts before them"

    def obey(self, decisions: Sequence[Decision]) -> None:
        """Do as decided, one decision after the other, if each is within the laws."""
        started: set[int] = set()
        for index, decision in enumerate(decisions):
            ticket = self.tickets[decision.request]
            if decision.kind == START:
                if ticket.request not in started:
                    self._begin(ticket)
                    started.add(ticket.request)
                self._check_lane(ticket, decision.lane)
                self.runs[decision.lane] = ticket.request
                self.warm[decision.lane] = ticket.place
            elif decision.kind == SUSPEND:
                follower = decisions[index + 1]
                assert (follower.kind, follower.lane) == (START, decision.lane)
                self._check_victim(decision.lane, self.tickets[follower.request], begun=follower.request in started)
                self.parked[decision.lane] = self.runs.pop(decision.lane)
            elif decision.kind == RESUME:
                assert decision.lane not in self.runs
                self.runs[decision.lane] = self.parked.pop(decision.lane)
                self.warm[decision.lane] = ticket.place
                assert self.runs[decision.lane] == ticket.request
            else:
                assert decision == (DROP, decision.slot, NONE, ticket.request)
                assert ticket.request in self.late, "nobody is dropped who can be in time"
                assert self.tenants[ticket.tenant].discipline is Discipline.DROP_LATE
                self.end(ticket.request)
        self.late -= started

    def _begin(self, ticket: Ticket) -> None:
        """Take the first of its queue; spend a token where a request, not only its next segment, begins and that is promised work."""
        queue = self.waiting[ticket.place]
        assert ticket.request == next(r for r in queue if (r in self.late) == (ticket.request in self.late)), "first in, first out"
        if ticket.at == 0 and self.earned(ticket, warm=self.is_warm(ticket.place)):
            self.tokens[ticket.tenant] -= 1.0
        queue.remove(ticket.request)

    def _check_lane(self, ticket: Ticket, lane: int) -> None:
        """A lane is free, of the processor, warm if one is, and owes a suspended request only if no other is free, and to rank 0."""
        assert lane in self.lanes_of[ticket.step.processor]
        assert lane not in self.runs
        idle = self._idle(ticket.step.processor)
        assert lane in idle or (self._critical(ticket) and not idle)
        assert self.warm.get(lane) == ticket.place or ticket.place not in [self.warm.get(other) for other in idle]

    def _yielding(self, ticket: Ticket) -> list[tuple[float, int]]:
        """List the (order, lane) of those that may be suspended for a request and go after it."""
        if not self._interrupts(ticket):
            return []
        held = [(lane, self.tickets[self.runs[lane]]) for lane in self.lanes_of[ticket.step.processor] if lane in self.runs]
        free_to = [(lane, t.request) for lane, t in held if lane not in self.parked and not self._critical(t) and t.step.width == 1]
        values = [(self.value(request, RUNNING), lane) for lane, request in free_to]
        return [(value, lane) for value, lane in values if value > self.value(ticket.request, READY)]

    def _check_victim(self, lane: int, ticket: Ticket, *, begun: bool) -> None:
        """Rank 0's promised work takes the place of the worst that goes after it, where policy and processor permit and no lane is free."""
        yielding = self._yielding(ticket)
        assert lane in [other for value, other in yielding if value == max(yielding)[0]]
        assert begun or self.earned(ticket, warm=False)
        assert all(other in self.runs for other in self.lanes_of[ticket.step.processor])

    def audit(self, s: State, wake_ns: int | None) -> None:
        """Compare with the state, after a decision; and nobody waits who could go."""
        assert {lane: s.r_request[slot] for lane, slot in enumerate(s.l_running) if slot != NONE} == self.runs
        assert {lane: s.r_request[slot] for lane, slot in enumerate(s.l_suspended) if slot != NONE} == self.parked
        assert {lane: self.places[stage] for lane, stage in enumerate(s.l_warm) if stage != NONE} == self.warm
        slots = [slot for slot, request in enumerate(s.r_request) if request != NONE]
        assert {s.r_request[slot]: self.places[s.r_stage[slot]] for slot in slots} == {r: t.place for r, t in self.tickets.items()}
        assert {s.r_request[slot] for slot in slots if s.r_where[slot] == QUEUED_LATE} == self.late
        assert list(s.t_tokens) == pytest.approx(self.tokens, abs=1e-9)
        drops = [t for t in self.heads() if self.tenants[t.tenant].discipline is Discipline.DROP_LATE]
        assert not any(t.request in self.late for t in drops), "who is to be dropped does not wait"
        assert wake_ns == min((self._hopeless_ns(t) for t in drops if t.due_ns < NEVER_NS), default=None)

    def check_waiting(self, decisions: Sequence[Decision]) -> None:
        """Nobody waits for a lane that runs nothing, nor rank 0 for one that can be had, but behind who waits for several lanes."""
        heads = list(self.heads())
        wide = {t.step.processor for t in heads if t.step.width > 1}
        resumed = {d.lane for d in decisions if d.kind == RESUME}
        for ticket in heads:
            lanes = self.lanes_of[ticket.step.processor]
            if ticket.step.processor not in wide:
                assert all(lane in self.runs for lane in lanes)
                assert not (self.earned(ticket, warm=False) and self._yielding(ticket))
                assert not self._critical(ticket) or resumed.isdisjoint(lanes)

    def apply(self, lineup: Lineup) -> None:
        """Go over to another plan: nothing outstanding is lost, savings and debts stay within what is promised now."""
        self._bind(lineup)
        assert {ticket.option for ticket in self.tickets.values()} <= set(self.options)
        self.warm = {lane: place for lane, place in self.warm.items() if place[0] in self.options}
        self.tokens = [max(-self._earns_per_ns(i) * WARM_NS, min(self._depth(i), tokens)) for i, tokens in enumerate(self.tokens)]
        self.taken.clear()


class Loop:
    """Drive a dispatcher by a virtual clock, keeping books that check every decision.

    `fate` says of a request, by its number, that its first segment fails, or that it finishes though it is suspended.
    """

    def __init__(
        self,
        tenants: tuple[Tenant, ...],
        plan: tuple[Share, ...],
        platform: Platform,
        policy: Policy | None = None,
        fate: Mapping[int, str] | None = None,
    ) -> None:
        self.policy = policy or policies.get("rank_edf")
        self.dispatcher = Dispatcher(tenants, plan, platform, replace(self.policy, order=self._order))
        self.books = Books(self.dispatcher.lineup, self.policy)
        self.fate = fate or {}
        self.now_ns = 0
        self.asked: list[tuple[Candidate, float]] = []
        self.left_ns: dict[int, int] = {}
        self.started: dict[int, int] = {}
        self.arrivals: list[tuple[int, int]] = []
        self.log: list[tuple[int, Decision]] = []
        self.ended: dict[int, str] = {}
        self.slots: dict[int, int] = {}

    def _order(self, candidate: Candidate, scene: Scene) -> float:
        value = self.policy.order(candidate, scene)
        self.asked.append((candidate, value))
        return value

    def arrive(self, tenant: int) -> None:
        """Report a request of a tenant (by index), due after the tenant's deadline."""
        request, deadline_ns = len(self.arrivals), self.books.tenants[tenant].deadline_ns
        due_ns = None if deadline_ns is None else self.now_ns + deadline_ns
        slot = self.dispatcher.arrive(request, tenant, self.now_ns, due_ns)
        self.arrivals.append((tenant, self.now_ns))
        self.slots[request] = slot
        option, at = self.books.places[self.dispatcher.stage(slot)]
        assert at == 0
        self.books.arrive(Ticket(request, tenant, self.now_ns, NEVER_NS if due_ns is None else due_ns, option))

    def decide(self) -> None:
        """Ask what to do and do it; whatever is against a law ends the test."""
        self.asked.clear()
        self.books.settle(self.now_ns)
        decisions = self.dispatcher.decide(self.now_ns)
        self.books.check_asked(self.asked, decisions)
        self.books.obey(decisions)
        self.audit()
        self.books.check_waiting(decisions)
        for d in decisions:
            self.log.append((self.now_ns, d))
            if d.kind == START:
                self.left_ns.setdefault(d.request, self.books.tickets[d.request].step.duration_ns)
            if d.kind in (START, RESUME):
                self.started[d.request] = self.now_ns
            elif d.kind == SUSPEND:
                self.left_ns[d.request] -= self.now_ns - self.started.pop(d.request)
            else:
                self._end(d.request, "dropped")

    def _end(self, request: int, how: str) -> None:
        assert request not in self.ended, "every request ends once"
        self.ended[request] = how
        del self.slots[request]

    def finish(self, request: int) -> bool:
        """Report a finished segment, or a failed one; say whether the request ended with it."""
        slot = self.slots[request]
        self.left_ns.pop(request)
        self.started.pop(request, None)
        if self.fate.get(request) == "fails":
            self.dispatcher.fail(slot)
            self.books.end(request)
            self._end(request, "failed")
            return True
        last = self.dispatcher.finish(slot)
        assert last == self.books.finish(request), "a request ends with its chain"
        if last:
            self._end(request, "done")
        return last

    def flushed(self, slot: int) -> None:
        """Note that the dispatcher ended a queued request."""
        request = next(r for r, held in self.slots.items() if held == slot)
        self.books.end(request)
        self._end(request, "flushed")

    def audit(self) -> None:
        self.dispatcher.validate(self.now_ns)
        self.books.audit(self.dispatcher.state, self.dispatcher.wake_ns())

    def apply(self, plan: tuple[Share, ...]) -> None:
        self.dispatcher.apply(plan)
        self.dispatcher.validate(self.now_ns)
        self.books.apply(self.dispatcher.lineup)

    def begun(self, since: int = 0) -> list[int]:
        """List the owners of the requests that began, in order, from an entry of the log on."""
        first: dict[int, int] = {}
        for index, (_, d) in enumerate(self.log):
            if d.kind == START:
                first.setdefault(d.request, index)
        return [self.arrivals[request][0] for request, index in first.items() if index >= since]

    def _next_finish(self) -> tuple[int, int] | None:
        """Return (instant, request) of the segment that finishes next; one that finishes though suspended does so at once."""
        hasty = [(self.now_ns, r) for r in self.books.parked.values() if self.fate.get(r) == "hasty"]
        return min([*hasty, *((since_ns + self.left_ns[r], r) for r, since_ns in self.started.items())], default=None)

    def run(
        self,
        until_ns: int,
        open_arrivals: Sequence[tuple[int, int]] = (),
        closed: Mapping[int, int] | None = None,
        plans: Sequence[tuple[int, tuple[Share, ...]]] = (),
    ) -> None:
        """Serve until an instant, with what comes at its instants; a closed tenant gets so many requests beside those it has."""
        again = closed or {}
        for index, count in again.items():
            for _ in range(count):
                self.arrive(index)
        arriving, changing = sorted(open_arrivals), [*plans]
        self.decide()
        while self.now_ns < until_ns:
            finish, wake_ns = self._next_finish(), self.dispatcher.wake_ns()
            coming = (
                [at for at, _ in [*filter(None, [finish]), *arriving[:1]]] + [at for at, _ in changing[:1]] + [*filter(None, [wake_ns])]
            )
            if not coming:
                break
            self.now_ns = max(self.now_ns, min(coming))
            if finish and finish[0] <= self.now_ns:
                self._go_on(finish[1], again)
            elif arriving and arriving[0][0] <= self.now_ns:
                self.arrive(arriving.pop(0)[1])
            elif changing and changing[0][0] <= self.now_ns:
                self.apply(changing.pop(0)[1])
            self.decide()

    def _go_on(self, request: int, again: Mapping[int, int]) -> None:
        owner = self.arrivals[request][0]
        if self.finish(request) and owner in again:
            self.arrive(owner)


@dataclass(frozen=True)
class Crew:
    """Who is served, how, where, and what happens: all that a run needs but the policy."""

    tenants: tuple[Tenant, ...]
    plans: tuple[tuple[Share, ...], ...]
    platform: Platform
    arrivals: list[tuple[int, int]]
    closed: dict[int, int]
    fate: dict[int, str]
    changes: list[int]

    def loop(self, policy: Policy) -> Loop:
        return Loop(self.tenants, self.plans[0], self.platform, policy, self.fate)

    def served(self, policy: Policy, until_ns: int) -> Loop:
        """Run until an instant, going over from one plan to the other at each of `changes`."""
        loop = self.loop(policy)
        loop.run(until_ns, self.arrivals, self.closed, [(at, self.plans[(i + 1) % 2]) for i, at in enumerate(self.changes)])
        return loop


INSTANTS = st.integers(0, 60).map(lambda ms: ms * MS)


@st.composite
def options_of(draw: st.DrawFn, name: str, lanes: tuple[int, ...]) -> list[Option]:
    step = st.sampled_from(range(len(lanes))).flatmap(
        lambda p: st.tuples(st.just(f"p{p}"), st.integers(1, lanes[p]), st.integers(1, 8).map(lambda ms: ms * MS))
    )
    chains = draw(st.lists(st.lists(step, min_size=1, max_size=3), min_size=1, max_size=3, unique_by=tuple))
    return [option(name, *chain) for chain in chains]


@st.composite
def crews(draw: st.DrawFn, *, crowded: bool = False) -> Crew:
    """Draw a crew of up to four; a crowded one has an open tenant of rank 0 with much to do, among others that are always busy."""
    lanes = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    rates = st.sampled_from([0.0, 5.0, 50.0, 500.0])
    tenants, options, closed = [], [], {}
    for i in range(draw(st.integers(3 if crowded else 1, 4))):
        outstanding = draw(st.integers(2, 3) if crowded else st.none() | st.integers(1, 3)) if i or not crowded else None
        deadline_ns = draw(st.none() | st.integers(1, 20).map(lambda ms: ms * MS))
        rank = draw(st.integers(0, 2)) if i or not crowded else 0
        drop, weight = draw(st.booleans()), draw(st.sampled_from([1.0, 2.5]))
        tenants.append(tenant(f"t{i}", rank, closed=outstanding, deadline_ns=deadline_ns, drop=drop, weight=weight))
        if outstanding:
            closed[i] = outstanding
        options.append(draw(options_of(f"t{i}", lanes)))
    plan = shares(*((o, draw(rates)) for own in options for o in own))
    other = shares(*((o, draw(rates)) for own in options for o in own[draw(st.integers(0, len(own) - 1)) :]))
    opens = [i for i in range(len(tenants)) if i not in closed]
    fates = st.sampled_from(["fails", "hasty", "hasty"]) if crowded else st.sampled_from(["", "", "", "fails", "hasty"])
    return Crew(
        tenants=tuple(tenants),
        plans=(plan, other),
        platform=board(lanes, Preemption.INSTANT if crowded else draw(st.sampled_from([Preemption.INSTANT, Preemption.SEGMENT]))),
        arrivals=draw(st.lists(st.tuples(INSTANTS, st.sampled_from(opens)), min_size=10 * crowded, max_size=30)) if opens else [],
        closed=closed,
        fate=dict(enumerate(draw(st.lists(fates, max_size=30)))),
        changes=sorted(draw(st.lists(INSTANTS, max_size=2))),
    )


@given(crews(), ANY_POLICY)
def test_every_decision_is_within_the_laws_under_every_policy(crew: Crew, policy: Policy) -> None:
    crew.served(policy, 100 * MS)


@given(crews(crowded=True), ANY_POLICY)
def test_every_decision_is_within_the_laws_where_rank_0_interrupts_others(crew: Crew, policy: Policy) -> None:
    crew.served(policy, 100 * MS)


@given(crews(), ANY_POLICY)
def test_every_request_ends_exactly_once_under_every_policy(crew: Crew, policy: Policy) -> None:
    loop = crew.served(policy, 100 * MS)
    outstanding = {r for r in loop.dispatcher.state.r_request if r != NONE}
    assert outstanding.isdisjoint(loop.ended)
    assert outstanding | set(loop.ended) == set(range(len(loop.arrivals)))
    for slot in loop.dispatcher.flush():
        loop.flushed(slot)
    loop.audit()
    assert set(loop.slots) == {*loop.books.runs.values(), *loop.books.parked.values()}


@given(crews(), ANY_POLICY)
def test_the_same_events_give_the_same_decisions(crew: Crew, policy: Policy) -> None:
    assert crew.served(policy, 50 * MS).log == crew.served(policy, 50 * MS).log


@given(crews(), ANY_POLICY)
def test_nothing_starts_before_it_arrives(crew: Crew, policy: Policy) -> None:
    loop = crew.served(policy, 50 * MS)
    assert all(now_ns >= loop.arrivals[d.request][1] for now_ns, d in loop.log)


@given(st.lists(st.integers(0, 60 * MS), max_size=12), st.integers(1, 9))
def test_on_one_segment_preemptive_processor_rank_0_waits_for_one_lower_segment_at_most(times_ns: list[int], segment_ms: int) -> None:
    tenants = (tenant("first", 0), tenant("rest", 1, closed=3))
    plan = shares((option("first", ("p0", 1, 1 * MS)), 100.0), (option("rest", ("p0", 1, segment_ms * MS)), 50.0))
    loop = Loop(tenants, plan, board((1,), Preemption.SEGMENT))
    loop.run(100 * MS, [(t, 0) for t in times_ns], {1: 3})
    starts = [(now_ns, d.request) for now_ns, d in loop.log if d.kind == START]
    for now_ns, request in starts:
        owner, arrival_ns = loop.arrivals[request]
        between = [r for t, r in starts if arrival_ns < t < now_ns and loop.arrivals[r][0] == 1]
        assert owner == 1 or not between


@given(st.lists(st.integers(0, 60 * MS), max_size=12), st.integers(1, 3).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_where_work_can_be_interrupted_rank_0_starts_the_instant_it_arrives(times_ns: list[int], lanes_and_width: tuple[int, int]) -> None:
    lanes, width = lanes_and_width
    spaced = [2 * i * MS + t for i, t in enumerate(sorted(times_ns))]
    tenants = (tenant("first", 0), tenant("rest", 1, closed=5))
    plan = shares((option("first", ("p0", width, 1 * MS)), 100.0), (option("rest", ("p0", 1, 7 * MS)), 50.0))
    loop = Loop(tenants, plan, board((lanes,)))
    loop.run(200 * MS, [(t, 0) for t in spaced], {1: 5})
    firsts = {r: t for r, (owner, t) in enumerate(loop.arrivals) if owner == 0}
    started = {d.request: now_ns for now_ns, d in loop.log if d.kind == START}
    assert {r: started[r] for r in firsts} == firsts


@given(st.floats(0.3, 0.95), st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=2, max_size=4))
def test_promised_work_is_served_while_the_promises_fit(load: float, crew: list[tuple[int, bool]]) -> None:
    """Lane time promised is `load` of one lane, to open and closed tenants; the rest of it is wanted by one that is promised nothing."""
    count = len(crew)
    rates = [load * 1e3 / (ms * count) for ms, _ in crew]
    tenants = (*(tenant(f"t{i}", 1, closed=None if comes else 2) for i, (_, comes) in enumerate(crew)), tenant("greedy", 0, closed=4))
    promised = ((option(f"t{i}", ("p0", 1, ms * MS)), rate) for i, ((ms, _), rate) in enumerate(zip(crew, rates, strict=True)))
    plan = shares(*promised, (option("greedy", ("p0", 1, 5 * MS)), 0.0))
    arrivals = [(int(n * 1e9 / rate), i) for i, rate in enumerate(rates) if crew[i][1] for n in range(int(2 * rate))]
    loop = Loop(tenants, plan, board((1,), Preemption.SEGMENT))
    loop.run(2000 * MS, arrivals, {i: 4 if i == count else 2 for i in range(count + 1) if i == count or not crew[i][1]})
    for i, rate in enumerate(rates):
        done = sum(1 for r in loop.ended if loop.arrivals[r][0] == i)
        assert done >= 0.95 * rate * 2 - 3


@given(st.integers(0, 2), st.none() | st.integers(1, 4), st.floats(1.0, 1.5))
def test_who_is_promised_nothing_waits_while_promised_work_is_ready(rank: int, closed: int | None, overload: float) -> None:
    tenants = (tenant("promised", 1, closed=2), tenant("greedy", rank, closed=closed))
    plan = shares((option("promised", ("p0", 1, 5 * MS)), overload * 200.0), (option("greedy", ("p0", 1, 1 * MS)), 0.0))
    loop = Loop(tenants, plan, board((1,)))
    arrivals = [(t, 1) for t in range(0, 400 * MS, 10 * MS)] if closed is None else []
    loop.run(500 * MS, arrivals, {0: 2} if closed is None else {0: 2, 1: closed})
    assert set(loop.begun()) == {0}


@pytest.mark.parametrize("overload", [1.0, 1.2])
def test_a_shortfall_is_shared_in_proportion_to_the_promises(overload: float) -> None:
    """Three tenants are promised a third of the lane each, times `overload`: each gets a third, whatever its speed."""
    segments_ms = [2, 5, 11]
    tenants = tuple(tenant(f"t{i}", 1, closed=2) for i in range(3))
    plan = shares(*((option(f"t{i}", ("p0", 1, ms * MS)), overload * 1e3 / 3 / ms) for i, ms in enumerate(segments_ms)))
    loop = Loop(tenants, plan, board((1,)))
    loop.run(6600 * MS, closed={0: 2, 1: 2, 2: 2})
    for i, ms in enumerate(segments_ms):
        done = sum(1 for r in loop.ended if loop.arrivals[r][0] == i)
        assert done * ms == pytest.approx(2200, rel=0.03)


@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.floats(0.5, 1.5))
def test_a_lane_stays_with_a_model_but_nobody_gets_far_ahead_of_its_equals(segments_ms: list[int], overload: float) -> None:
    """In virtual time, which counts promises served, equals are never apart by more than the warm lead, each way, and a few inferences."""
    count = len(segments_ms)
    tenants = tuple(tenant(f"t{i}", 1, closed=2) for i in range(count))
    rates = [overload * 1e3 / count / ms for ms in segments_ms]
    plan = shares(*((option(f"t{i}", ("p0", 1, ms * MS)), rate) for i, (ms, rate) in enumerate(zip(segments_ms, rates, strict=True))))
    loop = Loop(tenants, plan, board((1,)))
    loop.run(2000 * MS, closed=dict.fromkeys(range(count), 2))
    served, order = [0.0] * count, loop.begun()
    for who in order:
        served[who] += 1e9 / rates[who]
        assert max(served) - min(served) <= 2 * WARM_NS + 4 * sum(1e9 / rate for rate in rates)
    changes = sum(one != other for one, other in pairwise(order))
    assert changes <= 4 * 2000 * MS / (WARM_NS * min(1.0, overload)) + 2 * count


def test_a_warm_lane_does_not_keep_a_better_rank_or_an_earlier_deadline_waiting() -> None:
    """What runs on from before is preferred among equals alone."""
    tenants = (tenant("warm", 1, closed=1), tenant("due", 1, deadline_ns=50 * MS), tenant("other", 1, closed=1))
    plan = shares(*((option(name, ("p0", 1, 5 * MS)), 60.0) for name in ("warm", "due", "other")))
    loop = Loop(tenants, plan, board((1,), Preemption.SEGMENT))
    loop.run(1000 * MS, [(at * MS, 1) for at in range(3, 900, 100)], {0: 1, 2: 1})
    waits = [now_ns - loop.arrivals[d.request][1] for now_ns, d in loop.log if d.kind == START and loop.arrivals[d.request][0] == 1]
    assert len(waits) == 9
    assert max(waits) <= 5 * MS


def test_a_suspended_request_resumes_when_rank_0_has_ended() -> None:
    tenants = (tenant("first", 0), tenant("rest", 1, closed=1))
    plan = shares((option("first", ("p0", 1, 2 * MS)), 100.0), (option("rest", ("p0", 1, 10 * MS)), 50.0))
    loop = Loop(tenants, plan, board((1,)))
    loop.run(12 * MS, [(4 * MS, 0)], {1: 1})
    assert [(t // MS, d.kind, loop.arrivals[d.request][0]) for t, d in loop.log[:4]] == [
        (0, START, 1),
        (4, SUSPEND, 1),
        (4, START, 0),
        (6, RESUME, 1),
    ]
    assert loop.log[4][0] == 12 * MS


def test_a_suspended_request_resumes_under_another_plan_too() -> None:
    tenants = (tenant("first", 0), tenant("rest", 1, closed=1))
    plan = shares((option("first", ("p0", 1, 2 * MS)), 100.0), (option("rest", ("p0", 1, 10 * MS)), 50.0))
    loop = Loop(tenants, plan, board((1,)))
    loop.run(5 * MS, [(4 * MS, 0)], {1: 1})
    loop.apply(shares((plan[0].option, 90.0), (plan[1].option, 60.0)))
    loop.run(12 * MS)
    assert [(t // MS, d.kind, loop.arrivals[d.request][0]) for t, d in loop.log[3:4]] == [(6, RESUME, 1)]


def test_rank_0_interrupts_nobody_where_the_processor_cannot_beside_one_that_can() -> None:
    tenants = (tenant("first", 0), tenant("rest", 1, closed=1))
    plan = shares((option("first", ("p1", 1, 2 * MS)), 100.0), (option("rest", ("p1", 1, 10 * MS)), 50.0))
    can, cannot = board((1, 1)).processors
    mixed = replace(board((1, 1)), processors=(can, replace(cannot, preemption=Preemption.SEGMENT)))
    loop = Loop(tenants, plan, mixed)
    loop.run(12 * MS, [(4 * MS, 0)], {1: 1})
    assert [(t // MS, d.kind, loop.arrivals[d.request][0]) for t, d in loop.log[:2]] == [(0, START, 1), (10, START, 0)]


def test_a_hopeless_request_is_dropped_where_its_tenant_says_so() -> None:
    tenants = (tenant("first", 0, deadline_ns=5 * MS, drop=True),)
    plan = shares((option("first", ("p0", 1, 4 * MS)), 100.0))
    loop = Loop(tenants, plan, board((1,)))
    loop.run(20 * MS, [(1 * MS, 0), (1 * MS, 0)])
    assert sorted(loop.ended.values()) == ["done", "dropped"]
    assert [t for t, d in loop.log if d.kind == DROP] == [2 * MS + 1]


def test_another_plan_loses_nothing_that_is_outstanding() -> None:
    tenants = (tenant("a", 0, closed=3), tenant("b", 1, closed=3))
    before = shares((option("a", ("p0", 1, 3 * MS)), 100.0), (option("b", ("p0", 1, 4 * MS)), 50.0))
    after = shares((option("a", ("p1", 1, 2 * MS)), 100.0), (option("b", ("p0", 1, 4 * MS)), 70.0))
    loop = Loop(tenants, before, board((1, 1)))
    loop.run(20 * MS, closed={0: 3, 1: 3})
    asked = len(loop.arrivals)
    loop.apply(after)
    loop.run(200 * MS)
    assert set(loop.ended) == set(range(asked))


@given(crews(), ANY_POLICY, st.integers(0, 60 * MS))
def test_to_apply_the_plan_that_is_served_changes_nothing(crew: Crew, policy: Policy, at_ns: int) -> None:
    """One option for each tenant: which of several a request takes is counted anew with each plan."""
    plan = tuple(next(s for s in crew.plans[0] if s.option.tenant == t.name) for t in crew.tenants)
    loops = [replace(crew, plans=(plan, plan)).loop(policy) for _ in range(2)]
    for loop in loops:
        loop.run(at_ns, [arrival for arrival in crew.arrivals if arrival[0] < at_ns], crew.closed)
        if loop is loops[1]:
            loop.apply(plan)
        loop.run(100 * MS, [arrival for arrival in crew.arrivals if arrival[0] >= at_ns], dict.fromkeys(crew.closed, 0))
    assert loops[0].log == loops[1].log


@given(st.lists(st.sampled_from([0.0, 120.0]), min_size=2, max_size=3), st.sampled_from([0.0, 120.0]), st.integers(1, 500))
def test_whom_another_plan_makes_equals_are_served_alike_from_then_on(before: list[float], after: float, at_ms: int) -> None:
    """Promised the same, be it nothing, they are apart by the warm lead, two inferences and the tokens that they brought along.

    One more is of their rank, and served far more than it is promised, because it has a deadline: it sets no measure for them.
    """
    count = len(before)
    tenants = (*(tenant(f"t{i}", 1, closed=2) for i in range(count)), tenant("due", 1, closed=1, deadline_ns=50 * MS))
    options = [option(f"t{i}", ("p0", 1, 5 * MS)) for i in range(count)]
    due = (option("due", ("p0", 1, 2 * MS)), 2.0)
    loop = Loop(tenants, shares(*zip(options, before, strict=True), due), board((1,)))
    loop.run(at_ms * MS, closed={**dict.fromkeys(range(count), 2), count: 1})
    loop.apply(shares(*((o, after) for o in options), due))
    since = len(loop.log)
    loop.run(loop.now_ns + 1000 * MS, closed=dict.fromkeys(range(count + 1), 0))
    served = [0] * (count + 1)
    for who in loop.begun(since):
        served[who] += 1
        assert max(served[:-1]) - min(served[:-1]) <= (2 * WARM_NS / 1e9 + CLOSED_DEPTH_S) * after + 6


@given(st.permutations(range(6)), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=6, max_size=6))
def test_ties_go_by_rank_then_by_arrival_then_by_number(numbers: list[int], heads: list[tuple[int, int]]) -> None:
    """Nobody has been served yet, nobody is promised anything, and the policy finds all alike."""
    tenants = tuple(tenant(f"t{i}", rank) for i, (rank, _) in enumerate(heads))
    plan = shares(*((option(t.name, ("p0", 1, 1 * MS)), 0.0) for t in tenants))
    dispatcher = Dispatcher(tenants, plan, board((1,)), POLICIES["all alike"])
    for number, i in sorted(zip(numbers, range(6), strict=True)):
        dispatcher.arrive(number, i, heads[i][1], None)
    started = []
    for now_ns in range(3, 9):
        (start,) = dispatcher.decide(now_ns)
        started.append(start.request)
        dispatcher.finish(start.slot)
    assert started == [number for *_, number in sorted((*head, number) for head, number in zip(heads, numbers, strict=True))]


@given(st.integers(1, 300), st.booleans())
def test_any_number_may_be_outstanding_and_be_dropped_at_once(count: int, drop: bool) -> None:
    loop = Loop((tenant("a", 0, deadline_ns=5 * MS, drop=drop),), shares((option("a", ("p0", 1, 1 * MS)), 100.0)), board((1,)))
    for _ in range(count):
        loop.arrive(0)
    loop.decide()
    assert loop.dispatcher.outstanding(0) == count
    loop.now_ns = 6 * MS
    loop.decide()
    assert loop.dispatcher.outstanding(0) == (1 if drop else count)


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    dispatcher = Dispatcher((tenant("a", 0, closed=1),), shares((option("a", ("p0", 1, 1 * MS)), 100.0)), board((1,)), policies.get("rank"))
    dispatcher.decide(100 * MS)
    earned = list(dispatcher.state.t_tokens)
    dispatcher.decide(50 * MS)
    assert list(dispatcher.state.t_tokens) == earned


def test_a_policy_that_gives_no_number_is_named() -> None:
    def order(candidate: Candidate, scene: Scene) -> float:
        return float("nan")

    dispatcher = Dispatcher((tenant("a", 0),), shares((option("a", ("p0", 1, 1)), 1.0)), board((1,)), Policy(order=order), name="odd")
    dispatcher.arrive(0, 0, 0, None)
    with pytest.raises(Exception, match="policy odd at 7 ns: order gave NaN"):
        dispatcher.decide(7)


OTHERS = [(0, 0.0, None), (1, 0.0, None), (2, 0.0, None), (0, 2.0, None), (1, 2.0, None), (2, 2.0, None)]
"""Rank, rate and deadline of those who are served much more than they are promised: nothing, or next to nothing."""


@given(
    name=st.sampled_from(["rank_edf", "rank", "edf"]),
    third=st.sampled_from(OTHERS),
    spread=st.booleans(),
    load=st.sampled_from([0.0, 1.2]) | st.floats(0.6, 0.95),
    visits_ms=st.lists(st.tuples(st.integers(0, 200), st.integers(20, 1000)), min_size=1, max_size=3),
)
def test_time_away_is_neither_credit_nor_debt_among_equals(
    name: str, third: tuple[int, float, int | None], spread: bool, load: float, visits_ms: list[tuple[int, int]]
) -> None:
    """One of two equals comes and goes; whatever a third tenant took meanwhile, from its return on both are served alike.

    Each is promised `load` of the lane that both need most. They may be apart by the warm lead and a few inferences at the return,
    by as much the other way later, and by one inference of a third equal, who may be furthest behind; beyond that, who was away
    may only be ahead, by the tokens that it saved where the other has none.
    """
    rank, little_per_s, deadline_ns = third
    chain = (("p0", 1, 2 * MS), ("p1", 1, 5 * MS)) if spread else (("p0", 1, 5 * MS),)
    rate = load * 1e3 / 5
    tenants = (tenant("away", 1, closed=2), tenant("stays", 1, closed=2), tenant("third", rank, closed=1, deadline_ns=deadline_ns))
    plan = shares((option("away", *chain), rate), (option("stays", *chain), rate), (option("third", ("p0", 1, 3 * MS)), little_per_s))
    loop = Loop(tenants, plan, board((1, 1)), policies.get(name))
    loop.run(1, closed={1: 2, 2: 1})
    apart = 2 * WARM_NS * rate / 1e9 + 8 + (rate / little_per_s if rank == 1 and little_per_s > 0 else 0)
    saved = CLOSED_DEPTH_S * rate + 2 if load < 1 else 0
    for stays_ms, away_ms in [*visits_ms, (1000, 0)]:
        since = len(loop.log)
        loop.run(loop.now_ns + stays_ms * MS, closed={0: 2 - loop.dispatcher.outstanding(0), 1: 0, 2: 0})
        ahead = 0
        for who in loop.begun(since):
            ahead += {0: 1, 1: -1, 2: 0}[who]
            assert -apart <= ahead <= apart + saved
        loop.run(loop.now_ns + away_ms * MS, closed={1: 0, 2: 0})
