"""Random crews, and a driver that serves them by a virtual clock under the books' eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
from cotenant.dispatch import EVICT, START, SUSPEND, Decision, Dispatcher
from cotenant.dispatch.decide import RESUME
from cotenant.policy import AS_PLANNED, NEVER_NS, NOT_NOW, READY, RUNNING, Candidate, Policy, Scene, as_planned, nothing, policies
from tests.property.dispatch_books import Answers, Books, Row, Ticket, seen

MS = 1_000_000


def board(lanes: tuple[int, ...], *preemption: Preemption) -> Platform:
    """Return processors of so many lanes, each with its own preemption, or all with the one that is given; CLASS by default."""
    ways = preemption if len(preemption) == len(lanes) else (*preemption, Preemption.CLASS)[:1] * len(lanes)
    processors = tuple(
        Processor(name=f"p{i}", kind="k", lanes=n, memory="dram", preemption=way)
        for i, (n, way) in enumerate(zip(lanes, ways, strict=True))
    )
    return Platform(name="b", processors=processors, memories=(Memory(name="dram", capacity_bytes=1),))


def option(tenant: str, *steps: tuple[str, int, int]) -> Option:
    """Return an option of (processor, width, duration in ns); every step moves some bytes."""
    artifact = Artifact(model=tenant, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1)
    chain = tuple(Step(segment=i, processor=p, width=w, duration_ns=ns, memory_bytes=3 * ns + w) for i, (p, w, ns) in enumerate(steps))
    return Option(tenant=tenant, artifact=artifact, chain=chain, demand=(), latency_ns=sum(s.duration_ns for s in chain))


def tenant(
    name: str,
    rank: int,
    *,
    closed: int | None = None,
    deadline_ns: int | None = None,
    drop: bool = False,
    newest: bool = False,
    queue: int | None = None,
    weight: float = 1.0,
) -> Tenant:
    """Return a tenant, open or closed, that drops what is late, serves the newest first, or neither."""
    return Tenant(
        name=name,
        source=Source(model="zoo:x"),
        arrival=Periodic(every_ns=10 * MS) if closed is None else Closed(outstanding=closed),
        rank=rank,
        weight=weight,
        deadline_ns=deadline_ns,
        discipline=Discipline.DROP_LATE if drop else Discipline.NEWEST_FIRST if newest else Discipline.IN_ORDER,
        queue=queue,
    )


def shares(*pairs: tuple[Option, float]) -> tuple[Share, ...]:
    return tuple(Share(option=o, rate_per_s=r) for o, r in pairs)


def _last_first(candidate: Candidate, scene: Scene) -> float:
    return scene.params[0] * candidate.arrival_ns


def _count(scene: Scene) -> None:
    """Count the decisions; who waits is told from who runs."""
    scene.notes[0] += 1.0
    assert {scene.slots[scene.ready[index]].state for index in range(scene.ready_count)} <= {READY}
    assert {scene.slots[scene.running[index]].state for index in range(scene.running_count)} <= {RUNNING}


def _shortest(candidate: Candidate, scene: Scene) -> float:
    return candidate.remaining_ns


def _now_and_then(candidate: Candidate, scene: Scene) -> float:
    return NOT_NOW if (candidate.request + scene.now_ns // (2 * MS)) % 3 == 0 else candidate.due_ns


def numbered(candidate: Candidate, scene: Scene) -> float:
    """Order by a number that the request and its segment give."""
    return (candidate.request * 7919 + candidate.stage * 104729) % 13


def _pick(candidate: Candidate, scene: Scene) -> int:
    """Return one of the steps that may serve a segment, by the request's number."""
    stage = scene.stages[candidate.position]
    return scene.others[stage.others + (candidate.request * 5 + candidate.stage) % stage.other_count]


def any_width(candidate: Candidate, scene: Scene) -> int:
    """Return the width of the step picked, as `any_place` does its processor."""
    return scene.stages[_pick(candidate, scene)].width


def any_place(candidate: Candidate, scene: Scene) -> int:
    """Return the processor of one of the steps that may serve a segment."""
    return scene.stages[_pick(candidate, scene)].processor


def _width_here(candidate: Candidate, scene: Scene) -> int:
    """Return one of the widths that the segment at hand may have where it is planned."""
    stage = scene.stages[candidate.position]
    steps = [scene.stages[scene.others[index]] for index in range(stage.others, stage.others + stage.other_count)]
    widths = [step.width for step in steps if step.processor == stage.processor]
    return widths[candidate.request % len(widths)]


EDF, RANK, RANK_EDF = policies.get("edf"), policies.get("rank"), policies.get("rank_edf")

POLICIES = {
    "fifo": policies.get("fifo"),
    "edf": EDF,
    "rank": RANK,
    "rank_edf": RANK_EDF,
    "rank, without preemption": replace(RANK, preempts=False),
    "all alike": Policy(order=lambda _, __: 0.0),
    "last first": Policy(order=_last_first, params=(("sign", -1.0),)),
    "shortest rest first": Policy(order=_shortest),
    "shortest rest first, prepared": Policy(order=_shortest, prepare=_count, notes=1),
    "rank and deadline, prepared": replace(RANK_EDF, prepare=_count, notes=1),
    "drawn by number": Policy(order=numbered),
    "not now": Policy(order=_now_and_then, period_ns=1 * MS),
    "the late last": replace(EDF, late_last=True),
    "shortest rest first, the late last": Policy(order=_shortest, late_last=True),
    "hold": replace(EDF, holds=True),
    "drawn by number, hold": Policy(order=numbered, holds=True, late_last=True),
}
"""The plainest that we ship, and some that are as odd as the interface permits: the candidate and the instant are all they look at."""

ANY_POLICY = st.sampled_from(list(POLICIES.values()))

ELSEWHERE = [
    replace(RANK_EDF, width=any_width, place=any_place),
    replace(EDF, place=any_place),
    replace(RANK_EDF, width=_width_here),
    Policy(order=numbered, width=any_width, place=any_place, late_last=True),
    Policy(order=numbered, width=any_width, place=any_place, holds=True),
]
"""Policies that have a say in where, or on how many lanes, a segment is served."""


class Loop:
    """Drive a dispatcher by a virtual clock, keeping books that check every decision.

    `fate` says of a request, by its number, that its first segment fails, that it finishes though it is suspended, or that its
    segments take longer or shorter than they should.
    """

    def __init__(
        self,
        tenants: tuple[Tenant, ...],
        plan: tuple[Share, ...],
        platform: Platform,
        policy: Policy | None = None,
        fate: Mapping[int, str] | None = None,
        *,
        foreseen: bool = True,
    ) -> None:
        self.policy = policy or RANK_EDF
        asked = replace(self.policy, order=self._order)
        asked = asked if self.policy.prepare is nothing else replace(asked, prepare=self._prepare)
        asked = asked if self.policy.width is as_planned else replace(asked, width=self._width)
        asked = asked if self.policy.place is as_planned else replace(asked, place=self._place)
        self.dispatcher = Dispatcher(tenants, plan, platform, asked)
        self.books = Books(self.dispatcher.lineup, self.policy, foreseen=foreseen)
        self.fate = fate or {}
        self.now_ns = 0
        self.asked: list[str] = []
        self.orders: list[tuple[Row, float]] = []
        self.steps: dict[int, tuple[int, int]] = {}
        self.left_ns: dict[int, int] = {}
        self.started: dict[int, int] = {}
        self.arrivals: list[tuple[int, int]] = []
        self.log: list[tuple[int, Decision]] = []
        self.ended: dict[int, str] = {}
        self.ended_ns: dict[int, int] = {}
        self.chains: dict[int, Option] = {}
        self.slots: dict[int, int] = {}

    def _prepare(self, scene: Scene) -> None:
        assert scene.now_ns == self.now_ns
        self.asked.append("prepare")
        self.policy.prepare(scene)

    def _order(self, candidate: Candidate, scene: Scene) -> float:
        assert scene.now_ns == self.now_ns
        value = self.policy.order(candidate, scene)
        self.asked.append("order")
        self.orders.append((seen(candidate) if self.books.foreseen else replace(seen(candidate), note=0.0, mark=0.0), value))
        return value

    def _width(self, candidate: Candidate, scene: Scene) -> int:
        self.asked.append("width")
        where, _ = self.steps.get(candidate.request, (AS_PLANNED, AS_PLANNED))
        self.steps[candidate.request] = where, self.policy.width(candidate, scene)
        return self.steps[candidate.request][1]

    def _place(self, candidate: Candidate, scene: Scene) -> int:
        self.asked.append("place")
        _, width = self.steps.get(candidate.request, (AS_PLANNED, AS_PLANNED))
        self.steps[candidate.request] = self.policy.place(candidate, scene), width
        return self.steps[candidate.request][0]

    def arrive(self, tenant: int) -> None:
        """Report a request of a tenant (by index), due after the tenant's deadline."""
        request, deadline_ns = len(self.arrivals), self.books.tenants[tenant].deadline_ns
        due_ns = None if deadline_ns is None else self.now_ns + deadline_ns
        slot = self.dispatcher.arrive(request, tenant, self.now_ns, due_ns)
        self.arrivals.append((tenant, self.now_ns))
        self.slots[request] = slot
        option, at = self.books.places[self.dispatcher.stage(slot)]
        assert at == 0
        self.chains[request] = option
        self.books.arrive(Ticket(request, tenant, self.now_ns, NEVER_NS if due_ns is None else due_ns, option))

    def decide(self) -> None:
        """Ask what to do and do it; whatever is against a law ends the test."""
        for answers in (self.asked, self.orders, self.steps):
            answers.clear()
        self.books.settle(self.now_ns)
        decisions = self.dispatcher.decide(self.now_ns)
        prepared = [index for index, what in enumerate(self.asked) if what == "prepare"]
        assert prepared == ([] if self.policy.prepare is nothing else [0]), "prepare runs once, before all else"
        self.books.check_asked(Answers(self.orders, self.steps), decisions)
        stands = {d.request: self.books.places[self.dispatcher.stage(d.slot)] for d in decisions if d.kind == START}
        self.books.obey(decisions, stands)
        self.books.check_first(decisions)
        self.audit()
        self.books.check_waiting(decisions)
        for d in decisions:
            self.log.append((self.now_ns, d))
            if d.kind == START:
                self.left_ns.setdefault(d.request, self._takes_ns(d.request))
            if d.kind in (START, RESUME):
                self.started[d.request] = self.now_ns
            elif d.kind == SUSPEND:
                self.left_ns[d.request] -= self.now_ns - self.started.pop(d.request, self.now_ns)
            else:
                self._end(d.request, "evicted" if d.kind == EVICT else "dropped")

    def _takes_ns(self, request: int) -> int:
        """Return how long the segment at hand runs in fact."""
        times = {"slow": 1.5, "quick": 0.5}.get(self.fate.get(request, ""), 1.0)
        return int(self.books.tickets[request].step.duration_ns * times)

    def _end(self, request: int, how: str) -> None:
        assert request not in self.ended, "every request ends once"
        self.ended[request], self.ended_ns[request] = how, self.now_ns
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
        last = self.dispatcher.finish(slot, self.now_ns)
        assert last == self.books.finish(request, self.now_ns), "a request ends with its chain"
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
        self.books.audit(self.dispatcher.state, self.dispatcher.wake_ns(self.now_ns))

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
        hasty = [(self.now_ns, r) for r in self.books.suspended.values() if self.fate.get(r) == "hasty"]
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
            finish, wake_ns = self._next_finish(), self.dispatcher.wake_ns(self.now_ns)
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

    def loop(self, policy: Policy, *, foreseen: bool = True) -> Loop:
        return Loop(self.tenants, self.plans[0], self.platform, policy, self.fate, foreseen=foreseen)

    def served(self, policy: Policy, until_ns: int, *, foreseen: bool = True) -> Loop:
        """Run until an instant, going over from one plan to the other at each of `changes`."""
        loop = self.loop(policy, foreseen=foreseen)
        loop.run(until_ns, self.arrivals, self.closed, [(at, self.plans[(i + 1) % 2]) for i, at in enumerate(self.changes)])
        return loop


INSTANTS = st.integers(0, 60).map(lambda ms: ms * MS)


@st.composite
def options_of(draw: st.DrawFn, name: str, lanes: tuple[int, ...], *, alike: bool = False) -> list[Option]:
    """Draw a tenant's options; `alike`, their chains are of one length, such that each segment may be served by any of them."""
    step = st.sampled_from(range(len(lanes))).flatmap(
        lambda p: st.tuples(st.just(f"p{p}"), st.integers(1, lanes[p]), st.integers(1, 8).map(lambda ms: ms * MS))
    )
    least, most = (draw(st.integers(1, 3)),) * 2 if alike else (1, 3)
    chains = draw(st.lists(st.lists(step, min_size=least, max_size=most), min_size=1 + alike, max_size=3 + alike, unique_by=tuple))
    return [option(name, *chain) for chain in chains]


WAYS = [Preemption.CLASS, Preemption.SEGMENT, Preemption.INSTANT]


@st.composite
def crews(draw: st.DrawFn, *, crowded: Preemption | None = None, alike: bool = False) -> Crew:
    """Draw a crew of up to four; a crowded one has an open tenant of rank 0 with much to do, among others that are always busy."""
    lanes = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    rates = st.sampled_from([0.0, 5.0, 50.0, 500.0])
    tenants, options, closed = [], [], {}
    for i in range(draw(st.integers(3 if crowded else 1, 4))):
        outstanding = draw(st.integers(2, 3) if crowded else st.none() | st.integers(1, 3)) if i or not crowded else None
        deadline_ns = draw(st.none() | st.integers(1, 20).map(lambda ms: ms * MS))
        rank = draw(st.integers(0, 2)) if i or not crowded else 0
        own = tenant(
            f"t{i}",
            rank,
            closed=outstanding,
            deadline_ns=deadline_ns,
            drop=draw(st.booleans()),
            newest=draw(st.booleans()),
            queue=draw(st.sampled_from([None, 1, 1, 2])),
            weight=draw(st.sampled_from([1.0, 2.5])),
        )
        tenants.append(own)
        if outstanding:
            closed[i] = outstanding
        options.append(draw(options_of(f"t{i}", lanes, alike=alike)))
    plan = shares(*((o, draw(rates)) for own in options for o in own))
    other = shares(*((o, draw(rates)) for own in options for o in own[draw(st.integers(0, len(own) - 1)) :]))
    opens = [i for i in range(len(tenants)) if i not in closed]
    fates = ["fails", "hasty", "hasty", "slow"] if crowded else ["", "", "", "fails", "hasty", "slow", "quick"]
    preemption = [crowded or draw(st.sampled_from(WAYS)) for _ in lanes]
    least = 10 if crowded else draw(st.sampled_from([0, 0, 20]))
    return Crew(
        tenants=tuple(tenants),
        plans=(plan, other),
        platform=board(lanes, *preemption),
        arrivals=draw(st.lists(st.tuples(INSTANTS, st.sampled_from(opens)), min_size=least, max_size=30)) if opens else [],
        closed=closed,
        fate=dict(enumerate(draw(st.lists(st.sampled_from(fates), max_size=30)))),
        changes=sorted(draw(st.lists(INSTANTS, max_size=2))),
    )
