"""A second account of dispatching: what every decision must keep to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import pytest

from cotenant.describe import QUEUE, Discipline, Option, Periodic, Preemption, Step
from cotenant.dispatch import DROP, EVICT, NONE, RESUME, START, SUSPEND, Decision, Lineup, State
from cotenant.dispatch.lineup import CLOSED_DEPTH_S, OPEN_DEPTH, OPEN_REFILL
from cotenant.dispatch.promises import WARM_NS
from cotenant.dispatch.state import FREE, SUSPENDED
from cotenant.policy import AS_PLANNED, NEVER_NS, NOT_NOW, READY, RUNNING, Candidate, Policy, Scene, as_planned

Place = tuple[Option, int]
"""An option, and an index into its chain."""

Key = tuple[bool, bool, float]
"""By what one interrupts another, the less first: unearned, late where that matters, the policy's order."""


@dataclass
class Row:
    """What a candidate says at an instant."""

    tenant: int
    option: int
    stage: int
    stages: int
    position: int
    request: int
    processor: int
    state: int
    rank: int
    weight: float
    arrival_ns: int
    due_ns: int
    since_ns: int
    earned: int
    late: int
    begun: int
    width: int
    alone_ns: int
    remaining_ns: int
    segment_ns: int
    bytes_left: float
    bytes_per_ns: float
    pace: float
    note: float = 0.0
    mark: float = 0.0


def seen(candidate: Candidate) -> Row:
    """Copy what a candidate says now."""
    return Row(**{f.name: getattr(candidate, f.name) for f in fields(Row)})


@dataclass(eq=False)
class Ticket:
    """One outstanding request, as it was reported; `on` is where its segment at hand was begun, if it was.

    `since_ns` is when it was started, or stopped, last, or arrived; `passed` how many later ones of its tenant have begun, or ended,
    while it waited.
    """

    request: int
    tenant: int
    arrival_ns: int
    due_ns: int
    option: Option
    at: int = 0
    on: Place | None = None
    begun: bool = False
    parked: bool = False
    earned: bool = False
    late: bool = False
    running: bool = False
    since_ns: int = field(init=False)
    ran_ns: int = 0
    expected_ns: int = 0
    observed_ns: int = 0
    passed: int = 0

    def __post_init__(self) -> None:
        self.since_ns = self.arrival_ns

    @property
    def place(self) -> Place:
        return self.on or (self.option, self.at)

    @property
    def step(self) -> Step:
        option, at = self.place
        return option.chain[at]

    def ran_by_ns(self, now_ns: int) -> int:
        """Return how long the segment at hand has run."""
        return self.ran_ns + (now_ns - self.since_ns if self.running else 0)

    def segment_ns(self, now_ns: int) -> int:
        """Return what is expected to be left of the segment at hand: never nothing."""
        return max(1, self.step.duration_ns - self.ran_by_ns(now_ns))

    def remaining_ns(self, now_ns: int) -> int:
        option, at = self.place
        return self.segment_ns(now_ns) + sum(step.duration_ns for step in option.chain[at + 1 :])

    def stop(self, now_ns: int) -> None:
        if self.running:
            self.ran_ns, self.since_ns, self.running = self.ran_by_ns(now_ns), now_ns, False

    def run(self, now_ns: int) -> None:
        self.since_ns, self.running = now_ns, True


@dataclass(frozen=True)
class Answers:
    """What a policy answered in one decision: orders as (candidate, value), steps as (processor, width) of a request's last."""

    orders: Sequence[tuple[Row, float]]
    steps: Mapping[int, tuple[int, int]]


class Books:
    """A second account, kept in plain words from what was reported and decided: it refuses whatever is against a law.

    Requests, not slots, and options, not stages, are its keys, so that nothing in it changes with another plan. Where the policy's
    answers are not `foreseen`, because they depend on more than the candidate and the instant, no law that compares them is checked.
    """

    def __init__(self, lineup: Lineup, policy: Policy, *, foreseen: bool) -> None:
        self.policy, self.now_ns, self.foreseen = policy, 0, foreseen
        self._bind(lineup)
        self.tickets: dict[int, Ticket] = {}
        self.live: dict[Place, list[int]] = defaultdict(list)
        self.late: dict[Place, list[int]] = defaultdict(list)
        self.runs: dict[int, int] = {}
        self.suspended: dict[int, int] = {}
        self.warm: dict[int, Option] = {}
        self.waited: set[int] = set()
        self.taken: dict[Option, int] = defaultdict(int)
        self.fresh: set[int] = set()
        self.gone: dict[int, Ticket] = {}
        self.answers = Answers([], {})
        self.rests_ns: dict[tuple[int, int], int] = {}
        self.tokens = [self._full(i) for i in range(len(lineup.tenants))]

    def _bind(self, lineup: Lineup) -> None:
        """Note what a plan says, once."""
        self.lineup, self.tenants, self.options = lineup, lineup.tenants, lineup.options
        self.places: list[Place] = [(option, at) for option in self.options for at in range(len(option.chain))]
        self.processors = {p.name: (index, p) for index, p in enumerate(lineup.platform.processors)}
        self.lanes_of = {name: [lane for lane, (p, _) in enumerate(lineup.lanes) if p == i] for name, (i, _) in self.processors.items()}
        self.names = [lineup.platform.processors[p].name for p, _ in lineup.lanes]
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
        return [lane for lane in self.lanes_of[processor] if lane not in self.runs and lane not in self.suspended]

    def _preemption(self, processor: str) -> Preemption:
        """Say how work on the processor may be interrupted: where the policy never does, or holds, between segments only."""
        may = self.policy.preempts and not self.policy.holds
        return self.processors[processor][1].preemption if may else Preemption.SEGMENT

    def _critical(self, ticket: Ticket) -> bool:
        return self.tenants[ticket.tenant].rank == 0

    def _hopeless_ns(self, ticket: Ticket) -> int:
        """Return the first instant at which the request cannot be in time, were it alone."""
        return ticket.due_ns - ticket.remaining_ns(self.now_ns) + 1

    def _is_dropped(self, ticket: Ticket) -> bool:
        return self.tenants[ticket.tenant].discipline is Discipline.DROP_LATE

    def earned(self, ticket: Ticket, *, leads: bool) -> bool:
        """Say whether the request's start is promised work, if it may lead or not; what has begun stays what it was."""
        ahead = self._earns_per_ns(ticket.tenant) * WARM_NS if leads else 0.0
        return ticket.earned if ticket.begun else self.tokens[ticket.tenant] >= 1.0 - ahead

    def is_warm(self, place: Place) -> bool:
        return any(self.warm.get(lane) == place[0] for lane in self._idle(place[0].chain[place[1]].processor))

    def leads(self, ticket: Ticket) -> bool:
        """Say whether a request may be ahead of its promise: it is warm, or its tenant has led past it by as much."""
        earlier = list(self._unbegun_before(ticket))
        passed_by = ticket.passed - len(earlier)
        enough = passed_by > 0 and passed_by >= self._earns_per_ns(ticket.tenant) * WARM_NS > 0
        return self.is_warm(ticket.place) or (not ticket.begun and enough)

    def _unbegun_before(self, ticket: Ticket) -> Iterator[Ticket]:
        """Yield those of a tenant that came before a request and have not begun."""
        for other in self.tickets.values():
            if other is ticket:
                return
            if other.tenant == ticket.tenant and not other.begun:
                yield other

    def _go_past(self, ticket: Ticket) -> None:
        """Note that a request begins, or ends without."""
        for other in self._unbegun_before(ticket) if not ticket.begun else ():
            other.passed += 1

    def row(self, ticket: Ticket, state: int | None = None) -> Row:
        """Describe a request as the policy should be told."""
        tenant, (option, at) = self.tenants[ticket.tenant], ticket.place
        state = state or (RUNNING if ticket.running else READY)
        return Row(
            tenant=ticket.tenant,
            option=self.options.index(ticket.option),
            stage=ticket.at,
            stages=len(ticket.option.chain),
            position=self.places.index(ticket.place),
            request=ticket.request,
            processor=self.processors[ticket.step.processor][0],
            state=state,
            rank=tenant.rank,
            weight=tenant.weight,
            arrival_ns=ticket.arrival_ns,
            due_ns=ticket.due_ns,
            since_ns=ticket.since_ns,
            earned=int(self.earned(ticket, leads=self.leads(ticket))),
            late=int(ticket.late),
            begun=int(ticket.begun),
            width=ticket.step.width,
            alone_ns=sum(step.duration_ns for step in ticket.option.chain),
            remaining_ns=ticket.remaining_ns(self.now_ns),
            segment_ns=ticket.segment_ns(self.now_ns),
            bytes_left=sum(step.memory_bytes for step in option.chain[at:]),
            bytes_per_ns=ticket.step.memory_bytes / ticket.step.duration_ns,
            pace=ticket.observed_ns / ticket.expected_ns if ticket.expected_ns else 1.0,
        )

    def value(self, ticket: Ticket) -> float:
        if not self.foreseen:
            return 0.0
        params = [value for _, value in self.policy.params]
        return self.policy.order(self.row(ticket), Scene(self.now_ns, (), (), 0, (), 0, (), (), (), (), (), params, []))

    def key(self, ticket: Ticket) -> Key:
        """Return by what a request interrupts others, and is interrupted."""
        return not self.earned(ticket, leads=False), self.policy.late_last and ticket.late, self.value(ticket)

    def arrive(self, ticket: Ticket) -> None:
        """Note an arrival: it takes an option such that none falls behind its share by one request or more."""
        self.tickets[ticket.request] = ticket
        queue = self.live[ticket.place]
        begun = sum(self.tickets[r].begun for r in queue)
        queue.insert(begun if self._serves_newest(ticket.place) else len(queue), ticket.request)
        self.taken[ticket.option] += 1
        own = [s for s in self.lineup.ordered if s.option.tenant == ticket.option.tenant]
        rate = sum(s.rate_per_s for s in own)
        asked = sum(self.taken[s.option] for s in own)
        for share in own if rate else ():
            assert self.taken[share.option] > asked * share.rate_per_s / rate - 1.0 - 1e-9
            assert share.rate_per_s > 0 or not self.taken[share.option]

    def finish(self, request: int, now_ns: int) -> bool:
        """Note a finished segment; say whether the request has ended, which is after its whole chain."""
        ticket = self.tickets[request]
        ticket.stop(now_ns)
        self._leave(request)
        ticket.expected_ns, ticket.observed_ns = ticket.expected_ns + ticket.step.duration_ns, ticket.observed_ns + ticket.ran_ns
        ticket.at, ticket.on, ticket.ran_ns, ticket.parked, ticket.late, ticket.earned = ticket.at + 1, None, 0, False, False, True
        if ticket.at == len(ticket.option.chain):
            del self.tickets[request]
            return True
        self.live[ticket.place].append(request)
        return False

    def end(self, request: int) -> None:
        """Note that a request ended, wherever it was."""
        self._leave(request)
        self._go_past(self.tickets[request])
        ticket = self.gone[request] = self.tickets.pop(request)
        for queue in (self.live[ticket.place], self.late[ticket.place]):
            if request in queue:
                queue.remove(request)

    def _leave(self, request: int) -> None:
        for lanes in (self.runs, self.suspended):
            for lane in [lane for lane, held in lanes.items() if held == request]:
                del lanes[lane]

    def settle(self, now_ns: int) -> None:
        """Let time pass: tokens are earned; heads, and what runs, that cannot be in time any more are late for good."""
        passed_ns, self.now_ns = now_ns - self.now_ns, now_ns
        for i, tokens in enumerate(self.tokens):
            self.tokens[i] = min(self._depth(i), tokens + self._earns_per_ns(i) * passed_ns)
        for place in self.live:
            self._settle(place)
        for request in self.runs.values():
            ticket = self.tickets[request]
            ticket.late = ticket.late or self._hopeless_ns(ticket) <= now_ns

    def _settle(self, place: Place) -> None:
        queue = self.live[place]
        while queue and self._hopeless_ns(self.tickets[queue[0]]) <= self.now_ns:
            self.tickets[queue[0]].late = True
            self.late[place].append(queue.pop(0))
            if self._serves_newest(place):
                self.late[place].sort(key=lambda r: (not self.tickets[r].begun, r if self.tickets[r].begun else -r))

    def _serves_newest(self, place: Place) -> bool:
        """Say whether the youngest goes first at a place: of those that have not begun, before a first segment."""
        own = next(t for t in self.tenants if t.name == place[0].tenant)
        return own.discipline is Discipline.NEWEST_FIRST and place[1] == 0 and isinstance(own.arrival, Periodic)

    def waiting(self, tenant: int) -> list[int]:
        """List a tenant's requests that have not begun, the oldest first."""
        return sorted(t.request for t in self.tickets.values() if t.tenant == tenant and not t.begun)

    def _most(self, tenant: int) -> int:
        """Return how many of a tenant's requests may wait."""
        return (self.tenants[tenant].queue or QUEUE) if self._is_open(tenant) else 1 << 62

    def _settle_those_that_drop(self) -> None:
        """What has come up in a decision is dropped in it, if it is late."""
        for place, queue in self.live.items():
            if queue and self._is_dropped(self.tickets[queue[0]]):
                self._settle(place)

    def _queue(self, ticket: Ticket) -> list[int]:
        return (self.late if ticket.late else self.live)[ticket.place]

    def heads(self) -> Iterator[Ticket]:
        """List who could go next: of each place the first that is in time, and the first that is late."""
        for queues in (self.live, self.late):
            yield from [self.tickets[queue[0]] for queue in queues.values() if queue]

    def alternatives(self, ticket: Ticket) -> list[Place]:
        """List where a segment may be served that has not begun, if the policy has a say: by its own tenant's options."""
        chain, segment = ticket.option.chain, ticket.step.segment
        own = [option for option in self.options if option.tenant == ticket.option.tenant]
        like = [option for option in own if option.artifact.model == ticket.option.artifact.model and len(option.chain) == len(chain)]
        return [(option, at) for option in like for at, step in enumerate(option.chain) if step.segment == segment]

    def permitted(self, ticket: Ticket) -> list[Place]:
        """List where a segment may be served by what the policy answered; as wide as planned, if it said no more and that can be."""
        where, width = self.answers.steps.get(ticket.request, (AS_PLANNED, AS_PLANNED))
        if ticket.on or where == width == AS_PLANNED:
            return [ticket.place]
        processor = self.processors[ticket.step.processor][0] if where == AS_PLANNED else where
        steps = [(option.chain[at], (option, at)) for option, at in self.alternatives(ticket)]
        there = [(s.width, p) for s, p in steps if self.processors[s.processor][0] == processor]
        planned = [place for w, place in there if w == (ticket.step.width if width == AS_PLANNED else width)]
        return planned or ([place for _, place in sorted(there, key=lambda found: found[0])] if width == AS_PLANNED else [])

    def wanted(self, ticket: Ticket) -> Step:
        """Return the step by which a request would be served now, as far as the policy was asked."""
        option, at = self.permitted(ticket)[0]
        return option.chain[at]

    def check_asked(self, answers: Answers, decisions: Sequence[Decision]) -> None:
        """What a policy is told is true."""
        self.answers = answers
        self.ready: dict[int, tuple[Row, float]] = {}
        heads = {ticket.request for ticket in self.heads()}
        interrupted = {d.request for d in decisions if d.kind == SUSPEND}
        asked_again = any(d.kind in {DROP, EVICT} for d in decisions)  # when tokens have been spent
        for row, value in answers.orders:
            ticket = self.tickets[row.request]
            stopped = row.state == READY and ticket.running
            truth = replace(self.row(ticket, row.state), since_ns=self.now_ns if stopped else ticket.since_ns)
            assert row.state == READY or ticket.running
            assert row.state == RUNNING or row.request in (interrupted if stopped else self._queue(ticket))
            if row.state == RUNNING:
                assert row == truth
            elif row.request in heads and row.request not in self.ready:
                that_leads = replace(truth, earned=int(self.earned(ticket, leads=True)))
                excused = asked_again or (interrupted and row == that_leads)
                assert row == truth or excused, "an interruption may leave it a lane that is warm"
                self.ready[row.request] = row, value
            assert replace(row, earned=0) == replace(truth, earned=0)

    def check_first(self, decisions: Sequence[Decision]) -> None:
        """Whoever starts goes before all who could have and still wait; what has been earned must not have changed meanwhile."""
        if not self.foreseen:
            return
        waiting = [t for t in self.heads() if t.request in self.ready]
        started = [(self.ready[d.request], d.lane) for d in decisions if d.kind == START and d.request in self.ready]
        taken_over = {d.lane: d.request for d in decisions if d.kind == SUSPEND}
        for (one, value), lane in started:
            for ticket in waiting:
                other, better = self.ready[ticket.request]
                step = self.wanted(ticket)
                if self._is_passed_over(ticket, step, taken_over, earned=bool(other.earned)):
                    continue
                if step.processor == self.names[lane] and self._was_first(other, better, one, value) and not self._has_sibling(ticket):
                    assert self._preemption(step.processor) is Preemption.CLASS, "who goes before others starts before them"
                    assert one.rank == 0 < other.rank, "rank 0 can go wherever another of rank 0 can"
                    assert lane in taken_over or (step.width == 1 and lane in self.suspended), (
                        "wide work keeps free lanes from all behind it"
                    )

    def _is_passed_over(self, waits: Ticket, step: Step, taken_over: Mapping[int, int], *, earned: bool) -> bool:
        """Say whether somebody who may go before a step of several lanes runs there and has more to do there; rank 0 is not passed over.

        Or ran there when it was looked at, and was interrupted in the same decision since then.
        """
        if step.width == 1 or self._critical(waits):
            return False
        lanes = self.lanes_of[step.processor]
        running = {runs[lane] for runs in (self.runs, taken_over) for lane in lanes if lane in runs}
        own = self._order(waits, earned=earned)
        tickets = [(self.tickets | self.gone)[one] for one in running]
        return any(self._stays(one) and self._order(one, earned=one.earned) <= own for one in tickets)

    def _stays(self, ticket: Ticket) -> bool:
        """Say whether the next segment of what runs is on the same processor."""
        chain = ticket.option.chain
        return ticket.at + 1 < len(chain) and chain[ticket.at + 1].processor == ticket.step.processor

    def _order(self, ticket: Ticket, *, earned: bool) -> tuple[bool, bool, bool, float, int]:
        """Return by what requests go one before the other, but for the last ties."""
        holds, late = self.policy.holds and not ticket.begun, self.policy.late_last and ticket.late
        return holds, not earned, late, self.value(ticket), self.tenants[ticket.tenant].rank

    def _was_first(self, other: Row, better: float, one: Row, value: float) -> bool:
        """Say whether one that waits went before one that started, then and now."""
        holds, late_last = self.policy.holds, self.policy.late_last
        ours = (holds and not other.begun, 1 - other.earned, late_last and other.late, better, other.rank)
        theirs = (holds and not one.begun, 1 - one.earned, late_last and one.late, value, one.rank)
        same = self.earned(self.tickets[other.request], leads=False) == bool(other.earned)
        return ours < theirs and better < NOT_NOW and same

    def _has_sibling(self, ticket: Ticket) -> bool:
        """Say whether another head of the same place waits that may be set aside with it, for it wanted another step."""
        if self.policy.width is as_planned and self.policy.place is as_planned:
            return False
        return any(t is not ticket and t.place == ticket.place for t in self.heads())

    def obey(self, decisions: Sequence[Decision], stands: Mapping[int, Place]) -> None:
        """Do as decided, one decision after the other, if each is within the laws; `stands` says where each started stands then."""
        ran = set(self.runs.values())
        self.fresh, self.stands, self.gone = set(), stands, {}
        opened: Ticket | None = None
        for index, decision in enumerate(decisions):
            ticket = self.tickets[decision.request]
            if decision.kind == START:
                opened = self._opened(opened, ticket)
                self._check_lane(ticket, decision.lane)
                self.runs[decision.lane] = ticket.request
                self.warm[decision.lane] = ticket.place[0]
                if list(self.runs.values()).count(ticket.request) == ticket.step.width:
                    opened = None
                    ticket.run(self.now_ns)
                    self.fresh |= {ticket.request} - ran
            elif decision.kind == SUSPEND:
                follower = next(d for d in decisions[index + 1 :] if d.kind != SUSPEND)
                assert follower.kind == START, "nobody is interrupted for nothing"
                opened = self._opened(opened, self.tickets[follower.request])
                if self._preemption(self.names[decision.lane]) is Preemption.INSTANT:
                    self._take_off(decision.lane, opened)
                else:
                    assert (decisions[index + 1].kind, decisions[index + 1].lane) == (START, decision.lane)
                    self._check_victim(decision.lane, opened)
                    ticket.stop(self.now_ns)
                    self.suspended[decision.lane] = self.runs.pop(decision.lane)
            elif decision.kind == RESUME:
                assert opened is None
                assert decision.lane not in self.runs
                self.runs[decision.lane] = self.suspended.pop(decision.lane)
                self.warm[decision.lane] = ticket.place[0]
                assert self.runs[decision.lane] == ticket.request
                ticket.run(self.now_ns)
            elif decision.kind == EVICT:
                assert opened is None
                assert decision == (EVICT, decision.slot, NONE, ticket.request)
                assert len(self.waiting(ticket.tenant)) > self._most(ticket.tenant), "nobody is dropped while there is room"
                assert ticket.request == self.waiting(ticket.tenant)[0], "the oldest that has not begun makes room"
                self.end(ticket.request)
            else:
                self._settle_those_that_drop()
                assert decision == (DROP, decision.slot, NONE, ticket.request)
                assert ticket.late, "nobody is dropped who can be in time"
                assert self._is_dropped(ticket)
                self.end(ticket.request)
        assert opened is None, "who starts gets all its lanes"
        self._settle_those_that_drop()

    def _opened(self, opened: Ticket | None, ticket: Ticket) -> Ticket:
        """Return who is being started; one is started after the other."""
        if opened is None:
            self._begin(ticket)
            return ticket
        assert opened is ticket
        return opened

    def _begin(self, ticket: Ticket) -> None:
        """Take the first of its queue; spend a token where a request, not only its next segment, begins and that is promised work."""
        queue, earned = self._queue(ticket), self.earned(ticket, leads=self.leads(ticket))
        assert queue.pop(0) == ticket.request, "first in, first out; or the newest first"
        if not ticket.begun and earned:
            self.tokens[ticket.tenant] -= 1.0
        self._go_past(ticket)
        assert self.stands[ticket.request] in self.permitted(ticket), "served as planned, or as the policy says, or as begun"
        ticket.begun, ticket.earned, ticket.on = True, earned, self.stands[ticket.request]

    def _check_lane(self, ticket: Ticket, lane: int) -> None:
        """A lane is free, of the processor, warm if one is, and owes a suspended request only if no other is free, and to rank 0."""
        assert lane in self.lanes_of[ticket.step.processor]
        assert lane not in self.runs
        idle = self._idle(ticket.step.processor)
        assert lane in idle or (self._critical(ticket) and not idle)
        assert self.warm.get(lane) == ticket.place[0] or ticket.place[0] not in [self.warm.get(other) for other in idle]

    def _yielding(self, ticket: Ticket, processor: str) -> list[tuple[tuple[bool, float], int]]:
        """List the (order, lane) of those that may be suspended for a request and go after it: late ones last where that is the policy."""
        if self._preemption(processor) is not Preemption.CLASS or not self._critical(ticket):
            return []
        held = [(lane, self.tickets[self.runs[lane]]) for lane in self.lanes_of[processor] if lane in self.runs]
        free_to = [(lane, t) for lane, t in held if lane not in self.suspended and not self._critical(t) and t.step.width == 1]
        values = [(self._late_then_value(t), lane) for lane, t in free_to]
        return [(value, lane) for value, lane in values if value > self._late_then_value(ticket) or not self.foreseen]

    def _late_then_value(self, ticket: Ticket) -> tuple[bool, float]:
        return self.policy.late_last and ticket.late, self.value(ticket)

    def _check_victim(self, lane: int, ticket: Ticket) -> None:
        """Rank 0's promised work takes the place of the worst that goes after it, where policy and processor permit and no lane is free."""
        yielding = self._yielding(ticket, ticket.step.processor)
        assert lane in [other for value, other in yielding if value == max(yielding)[0] or not self.foreseen]
        assert ticket.earned
        assert all(other in self.runs for other in self.lanes_of[ticket.step.processor])

    def _worse(self, ticket: Ticket, processor: str, but: set[int]) -> dict[int, Key]:
        """List those that run on a processor and go after a request, with why."""
        if self._preemption(processor) is not Preemption.INSTANT:
            return {}
        running = {self.runs[lane] for lane in self.lanes_of[processor] if lane in self.runs}
        keys = {request: self.key(self.tickets[request]) for request in running - but}
        return {request: key for request, key in keys.items() if key > self.key(ticket)}

    def _take_off(self, lane: int, ticket: Ticket) -> None:
        """Interrupt what runs on a lane, the worst that goes after `ticket`, if too few are free; off its last lane, it is queued."""
        victim, processor = self.tickets[self.runs[lane]], self.names[lane]
        if victim.running:
            worse = self._worse(ticket, processor, self.fresh)
            assert victim.request in worse or not self.foreseen, "only who goes before another interrupts it"
            assert not self.foreseen or worse[victim.request] == max(worse.values()), "the worst goes first"
            assert ticket.step.processor == processor
            assert len(self._idle(processor)) < ticket.step.width, "nobody is interrupted for lanes that are free"
            assert all(self.tickets[r].running for r in self.runs.values()), "one is taken off after the other"
            victim.stop(self.now_ns)
        del self.runs[lane]
        if victim.request not in self.runs.values():
            victim.parked = True
            queue = self._queue(victim)
            before = [self.tickets[r] for r in queue]
            older = [t.parked and (t.arrival_ns, t.request) < (victim.arrival_ns, victim.request) for t in before]
            queue.insert(older.index(False) if False in older else len(queue), victim.request)

    def audit(self, s: State, wake_ns: int | None) -> None:
        """Compare with the state, after a decision; and nobody waits who could go."""
        assert {lane: s.slots[row.running].request for lane, row in enumerate(s.lanes) if row.running != NONE} == self.runs
        assert {lane: s.slots[row.suspended].request for lane, row in enumerate(s.lanes) if row.suspended != NONE} == self.suspended
        assert {lane: self.options[row.warm] for lane, row in enumerate(s.lanes) if row.warm != NONE} == self.warm
        assert sorted(c.request for c in s.slots if c.state != FREE) == sorted(self.tickets)
        for c in s.slots:
            if c.state != FREE:
                row = seen(c) if self.foreseen else replace(seen(c), note=0.0, mark=0.0)
                self._audit_slot(c.request, row, c.ran_ns)
                assert c.parked == self.tickets[c.request].parked
                assert (c.expected_ns, c.observed_ns) == (self.tickets[c.request].expected_ns, self.tickets[c.request].observed_ns)
        assert [t.tokens for t in s.tenants] == pytest.approx(self.tokens, abs=1e-9)
        assert all(len(self.waiting(i)) <= self._most(i) for i in range(len(self.tenants))), "no more wait than may"
        drops = [t for t in self.heads() if self._is_dropped(t)]
        assert not [t for t in drops if t.late], "who is to be dropped does not wait"
        wakes_ns = [self._hopeless_ns(t) for t in drops if t.due_ns < NEVER_NS and not t.late]
        periods_ns = [self.now_ns + self.policy.period_ns for _ in [*self.heads()][:1] if self.policy.period_ns]
        assert wake_ns == min([*wakes_ns, *periods_ns], default=None)

    def _audit_slot(self, request: int, row: Row, ran_ns: int) -> None:
        """Work that was done stays done: what ran adds up, and no more is left of a segment than before."""
        ticket = self.tickets[request]
        state = SUSPENDED if request in self.suspended.values() else RUNNING if ticket.running else READY
        truth = replace(self.row(ticket), state=state)
        assert ran_ns == ticket.ran_ns
        assert (state == READY) == (request in self._queue(ticket))
        if state == READY:
            assert replace(row, earned=0) == replace(truth, earned=0)
        assert (row.state, row.position, row.begun) == (truth.state, truth.position, truth.begun)
        if state != READY:
            assert row.earned == truth.earned
        rest_ns = self.rests_ns.setdefault((request, ticket.at), ticket.step.duration_ns if ticket.on else 1 << 62)
        assert row.segment_ns <= rest_ns, "what is left never grows"
        if ticket.on:
            self.rests_ns[request, ticket.at] = row.segment_ns

    def check_waiting(self, decisions: Sequence[Decision]) -> None:
        """Nobody waits for a lane that runs nothing, or that can be had, but behind others who wait for several lanes."""
        heads = [t for t in self.heads() if self.value(t) < NOT_NOW] if self.foreseen else []
        wide = {t.request: self.wanted(t).processor for t in heads if self.wanted(t).width > 1}
        resumed = {d.lane for d in decisions if d.kind == RESUME}
        asked = {row.request for row, _ in self.answers.orders}
        started = [self.tickets[d.request] for d in decisions if d.kind == START]
        begun = {place for t in started for place in (t.place, (t.option, t.at))}  # where it is served, and where it waited
        for ticket in heads:
            step = self.wanted(ticket)
            ahead = any(processor == step.processor for request, processor in wide.items() if request != ticket.request)
            unasked = ticket.request not in asked and self._preemption(step.processor) in {Preemption.INSTANT, Preemption.CLASS}
            if unasked and not self._is_dropped(ticket) and ticket.place not in begun:  # behind what was dropped, it is asked at the next
                assert ticket.request in self.waited, "who has come up since is asked, were it to interrupt others"
            if not self._has_sibling(ticket) and not ticket.on and self.policy.place is not as_planned:
                assert ticket.request in self.answers.steps, "who may go elsewhere is asked, however full it is where it is planned"
            if not ahead and not self._has_sibling(ticket):
                lanes = self.lanes_of[step.processor]
                free = [lane for lane in lanes if lane not in self.runs]
                had = self._had_by(ticket, step.processor) if self.policy.sees_all or ticket.request in asked else 0
                assert len(free) + had < step.width
                assert step.width > 1 or not self._critical(ticket) or resumed.isdisjoint(lanes)
        self.waited = {ticket.request for ticket in self.heads()}

    def _had_by(self, ticket: Ticket, processor: str) -> int:
        """Count the lanes that a request could take from others; who has just been started keeps its own from heads that came up later."""
        if self._preemption(processor) is Preemption.CLASS:
            return len(self._yielding(ticket, processor)) if self.earned(ticket, leads=False) else 0
        fresh = set() if ticket.request in self.ready else self.fresh
        return sum(self.tickets[request].step.width for request in self._worse(ticket, processor, fresh))

    def apply(self, lineup: Lineup) -> None:
        """Go over to another plan: nothing outstanding is lost, savings and debts stay within what is promised now."""
        self._bind(lineup)
        assert {option for ticket in self.tickets.values() for option in (ticket.option, ticket.place[0])} <= set(self.options)
        self.warm = {lane: option for lane, option in self.warm.items() if option in self.options}
        self.tokens = [max(-self._earns_per_ns(i) * WARM_NS, min(self._depth(i), tokens)) for i, tokens in enumerate(self.tokens)]
        self.taken.clear()

    def change(self, lineup: Lineup, stay: Collection[str], renewed: Collection[str], stands: Mapping[int, Option]) -> set[int]:
        """Go over to another crew; return who has ended: those that had not begun of tenants that do not `stay`.

        `stands` says which option each that is left has then: another only where it waits, and its tenant is `renewed`.
        """
        names, newest = [t.name for t in self.tenants], {t.name: t.serves_newest_first for t in self.tenants}
        gone = {t.request for t in self.tickets.values() if not t.begun and names[t.tenant] not in stay}
        for request in gone:
            self.end(request)
        leaving = [name for i, name in enumerate(names) if name not in stay and any(t.tenant == i for t in self.tickets.values())]
        saved = dict(zip(names, self.tokens, strict=True))
        turned = {t.name for t in lineup.tenants if newest.get(t.name, t.serves_newest_first) != t.serves_newest_first}
        moved = [t for t in self.tickets.values() if not t.begun and names[t.tenant] in turned | {*renewed}]
        for ticket in moved:
            self._queue(ticket).remove(ticket.request)
        self._bind(lineup)
        self.taken.clear()
        index = {t.name: i for i, t in enumerate(lineup.tenants)}
        assert {*index} == {*stay, *leaving}, "who has begun requests is there until they end, and nobody else"
        assert all(self.rates[index[name]] == 0.0 for name in leaving), "who leaves is promised nothing"
        self.tokens = [
            max(-self._earns_per_ns(i) * WARM_NS, min(self._depth(i), saved[t.name])) if t.name in saved else self._full(i)
            for i, t in enumerate(lineup.tenants)
        ]
        for ticket in self.tickets.values():
            renews = ticket in moved and names[ticket.tenant] in renewed
            ticket.tenant = index[names[ticket.tenant]]
            assert renews or stands[ticket.request] == ticket.option, "what has begun, or is not renewed, keeps its option"
        for ticket in sorted(moved, key=lambda t: (t.arrival_ns, t.request)):
            ticket.late = False
            if ticket.option != stands[ticket.request]:
                assert stands[ticket.request].tenant in renewed
            ticket.option = stands[ticket.request]
            if ticket.option.tenant in renewed:
                self.taken[ticket.option] += 1
            queue = self.live[ticket.place]
            queue.insert(sum(self.tickets[r].begun for r in queue) if self._serves_newest(ticket.place) else len(queue), ticket.request)
        assert {option for ticket in self.tickets.values() for option in (ticket.option, ticket.place[0])} <= set(self.options)
        self.warm = {lane: option for lane, option in self.warm.items() if option in self.options}
        return gone

    def _full(self, tenant: int) -> float:
        """Return what a tenant that is new has saved."""
        return self._depth(tenant) if self._is_open(tenant) else min(1.0, self._depth(tenant))
