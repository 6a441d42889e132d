"""The laws of dispatching, over random crews, plans, policies and events."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
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
from cotenant.dispatch import DROP, NONE, RESUME, START, SUSPEND, Decision, Dispatcher
from cotenant.dispatch.promises import WARM_NS
from cotenant.policy import Candidate, Policy, Scene, policies

MS = 1_000_000


def board(lanes: tuple[int, ...], preemption: Preemption = Preemption.INSTANT) -> Platform:
    processors = tuple(Processor(name=f"p{i}", kind="k", lanes=n, memory="dram", preemption=preemption) for i, n in enumerate(lanes))
    return Platform(name="b", processors=processors, memories=(Memory(name="dram", capacity_bytes=1),))


def option(tenant: str, *steps: tuple[str, int, int]) -> Option:
    artifact = Artifact(model=tenant, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1)
    chain = tuple(Step(segment=i, processor=p, width=w, duration_ns=ns) for i, (p, w, ns) in enumerate(steps))
    return Option(tenant=tenant, artifact=artifact, chain=chain, demand=(), latency_ns=sum(s.duration_ns for s in chain))


def tenant(name: str, rank: int, *, closed: int | None = None, deadline_ns: int | None = None, drop: bool = False) -> Tenant:
    arrival = Periodic(every_ns=10 * MS) if closed is None else Closed(outstanding=closed)
    discipline = Discipline.DROP_LATE if drop else Discipline.IN_ORDER
    return Tenant(name=name, source=Source(model="zoo:x"), arrival=arrival, rank=rank, deadline_ns=deadline_ns, discipline=discipline)


@dataclass
class Loop:
    """Drive a dispatcher by a virtual clock, checking after every event that its state is sound."""

    dispatcher: Dispatcher
    now_ns: int = 0
    next_id: int = 0
    left_ns: dict[int, int] = field(default_factory=dict)
    started: dict[int, int] = field(default_factory=dict)
    arrivals: dict[int, tuple[int, int]] = field(default_factory=dict)
    log: list[tuple[int, Decision]] = field(default_factory=list)
    ended: dict[int, str] = field(default_factory=dict)
    request_of: dict[int, int] = field(default_factory=dict)

    def arrive(self, tenant: int, due_ns: int | None = None) -> int:
        slot = self.dispatcher.arrive(self.next_id, tenant, self.now_ns, due_ns)
        self.arrivals[self.next_id] = (tenant, self.now_ns)
        self.request_of[slot] = self.next_id
        self.next_id += 1
        return slot

    def decide(self) -> list[Decision]:
        decisions = self.dispatcher.decide(self.now_ns)
        self.dispatcher.validate(self.now_ns)
        s = self.dispatcher.state
        for d in decisions:
            self.log.append((self.now_ns, d))
            match d.kind:
                case 0:
                    self.left_ns.setdefault(d.slot, s.q_segment_ns[s.r_stage[d.slot]])
                    self.started[d.slot] = self.now_ns
                case 1:
                    self.started[d.slot] = self.now_ns
                case 2:
                    self.left_ns[d.slot] -= self.now_ns - self.started.pop(d.slot)
                case _:
                    self._end(d.slot, d.request, "dropped")
        return decisions

    def _end(self, slot: int, request: int, how: str) -> None:
        assert request not in self.ended, "every request ends once"
        self.ended[request] = how

    def next_finish(self) -> tuple[int, int] | None:
        running = {slot for slot in self.dispatcher.state.l_running if slot != NONE}
        return min(((self.started[slot] + self.left_ns[slot], slot) for slot in running), default=None)

    def finish(self, slot: int) -> int | None:
        """Finish the slot's segment; return its request if it ended."""
        request = self.request_of[slot]
        self.left_ns.pop(slot)
        self.started.pop(slot)
        if self.dispatcher.finish(slot):
            self._end(slot, request, "done")
            return request
        return None

    def run(self, until_ns: int, open_arrivals: list[tuple[int, int, int | None]], closed: dict[int, int]) -> None:
        for index, count in closed.items():
            for _ in range(count):
                self.arrive(index)
        pending = list(open_arrivals)
        heapq.heapify(pending)
        self.decide()
        while self.now_ns < until_ns:
            finish = self.next_finish()
            wake = self.dispatcher.wake_ns()
            instants = [t for t in (finish and finish[0], pending and pending[0][0], wake) if t]
            if not instants:
                break
            self.now_ns = max(self.now_ns, min(instants))
            if finish and finish[0] <= self.now_ns:
                request = self.finish(finish[1])
                if request is not None and self.arrivals[request][0] in closed:
                    self.arrive(self.arrivals[request][0])
            elif pending and pending[0][0] <= self.now_ns:
                _, index, deadline_ns = heapq.heappop(pending)
                self.arrive(index, None if deadline_ns is None else self.now_ns + deadline_ns)
            self.decide()


def shares(*pairs: tuple[Option, float]) -> tuple[Share, ...]:
    return tuple(Share(option=o, rate_per_s=r) for o, r in pairs)


Drawn = tuple[tuple[Tenant, ...], tuple[Share, ...], Platform, list[tuple[int, int, int | None]], dict[int, int]]


@st.composite
def crews(draw: st.DrawFn) -> Drawn:
    lanes = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    platform = board(lanes, draw(st.sampled_from([Preemption.INSTANT, Preemption.SEGMENT])))
    tenants, plan, closed = [], [], {}
    for i in range(draw(st.integers(1, 4))):
        flat_out = draw(st.booleans())
        deadline_ns = draw(st.none() | st.integers(1 * MS, 20 * MS))
        outstanding = draw(st.integers(1, 3))
        rank, drop = draw(st.integers(0, 2)), draw(st.booleans())
        tenants.append(tenant(f"t{i}", rank, closed=outstanding if flat_out else None, deadline_ns=deadline_ns, drop=drop))
        if flat_out:
            closed[i] = outstanding
        for _ in range(draw(st.integers(1, 2))):
            steps = []
            for _ in range(draw(st.integers(1, 3))):
                p = draw(st.integers(0, len(lanes) - 1))
                steps.append((f"p{p}", draw(st.integers(1, lanes[p])), draw(st.integers(1, 8)) * MS))
            plan.append((option(f"t{i}", *steps), draw(st.sampled_from([0.0, 5.0, 50.0, 500.0]))))
    opens = [i for i in range(len(tenants)) if i not in closed]
    times = draw(st.lists(st.tuples(st.integers(0, 100 * MS), st.sampled_from(opens)), max_size=30)) if opens else []
    arrivals: list[tuple[int, int, int | None]] = [(t, i, tenants[i].deadline_ns) for t, i in times]
    unique = {(o.name, o.chain, o.tenant): (o, r) for o, r in plan}
    return tuple(tenants), shares(*unique.values()), platform, arrivals, closed


@given(crews(), st.sampled_from(policies.names()))
def test_every_request_ends_exactly_once_under_every_policy(crew: Drawn, name: str) -> None:
    tenants, plan, platform, arrivals, closed = crew
    loop = Loop(Dispatcher(tenants, plan, platform, policies.get(name), name=name))
    loop.run(100 * MS, arrivals, closed)
    outstanding = {r for r in loop.dispatcher.state.r_request if r != NONE}
    assert outstanding.isdisjoint(loop.ended)
    assert outstanding | set(loop.ended) == set(range(loop.next_id))


@given(crews(), st.sampled_from(policies.names()))
def test_the_same_events_give_the_same_decisions(crew: Drawn, name: str) -> None:
    tenants, plan, platform, arrivals, closed = crew
    loops = [Loop(Dispatcher(tenants, plan, platform, policies.get(name), name=name)) for _ in range(2)]
    for loop in loops:
        loop.run(50 * MS, arrivals, closed)
    assert loops[0].log == loops[1].log


@given(crews(), st.sampled_from(policies.names()))
def test_no_lane_idles_while_narrow_work_for_it_is_ready(crew: Drawn, name: str) -> None:
    tenants, plan, platform, arrivals, closed = crew
    dispatcher = Dispatcher(tenants, plan, platform, policies.get(name), name=name)
    loop = Loop(dispatcher)
    loop.run(50 * MS, arrivals, closed)
    s = dispatcher.state
    heads = [q for q in range(len(s.q_live)) if s.q_live[q] != NONE or s.q_late[q] != NONE]
    for q in heads:
        waits_wide = any(s.q_width[o] > 1 and s.q_processor[o] == s.q_processor[q] for o in heads)
        assert waits_wide or s.p_free[s.q_processor[q]] == 0


@given(crews(), st.sampled_from(policies.names()))
def test_nothing_starts_before_it_arrives(crew: Drawn, name: str) -> None:
    tenants, plan, platform, arrivals, closed = crew
    loop = Loop(Dispatcher(tenants, plan, platform, policies.get(name), name=name))
    loop.run(50 * MS, arrivals, closed)
    assert all(now_ns >= loop.arrivals[d.request][1] for now_ns, d in loop.log)


@given(st.lists(st.integers(0, 60 * MS), max_size=12), st.integers(1, 9))
def test_on_one_segment_preemptive_processor_rank_0_waits_for_one_lower_segment_at_most(times_ns: list[int], segment_ms: int) -> None:
    tenants = (tenant("first", 0), tenant("rest", 1, closed=3))
    plan = shares((option("first", ("p0", 1, 1 * MS)), 100.0), (option("rest", ("p0", 1, segment_ms * MS)), 50.0))
    loop = Loop(Dispatcher(tenants, plan, board((1,), Preemption.SEGMENT), policies.get("rank_edf")))
    loop.run(100 * MS, [(t, 0, None) for t in times_ns], {1: 3})
    starts = [(now_ns, d.request) for now_ns, d in loop.log if d.kind == START]
    for now_ns, request in starts:
        owner, arrival_ns = loop.arrivals[request]
        between = [r for t, r in starts if arrival_ns < t < now_ns and loop.arrivals[r][0] == 1]
        assert owner == 1 or not between


@given(st.lists(st.integers(0, 60 * MS), max_size=12))
def test_where_work_can_be_interrupted_rank_0_starts_the_instant_it_arrives(times_ns: list[int]) -> None:
    spaced = [2 * i * MS + t for i, t in enumerate(sorted(times_ns))]
    tenants = (tenant("first", 0), tenant("rest", 1, closed=3))
    plan = shares((option("first", ("p0", 1, 1 * MS)), 100.0), (option("rest", ("p0", 1, 7 * MS)), 50.0))
    loop = Loop(Dispatcher(tenants, plan, board((1,)), policies.get("rank_edf")))
    loop.run(200 * MS, [(t, 0, None) for t in spaced], {1: 3})
    firsts = {r: t for r, (owner, t) in loop.arrivals.items() if owner == 0}
    started = {d.request: now_ns for now_ns, d in loop.log if d.kind == START}
    assert {r: started[r] for r in firsts} == firsts


@given(st.floats(0.3, 0.95), st.lists(st.integers(1, 6), min_size=2, max_size=4))
def test_promised_work_is_served_while_the_promises_fit(load: float, segments_ms: list[int]) -> None:
    """Lane time promised is `load` of one lane, the rest of it is wanted by a tenant that is promised nothing."""
    rates = [load * 1e3 / (ms * len(segments_ms)) for ms in segments_ms]
    tenants = (*(tenant(f"t{i}", 1, closed=2) for i in range(len(segments_ms))), tenant("greedy", 0, closed=4))
    plan = shares(
        *((option(f"t{i}", ("p0", 1, ms * MS)), rate) for i, (ms, rate) in enumerate(zip(segments_ms, rates, strict=True))),
        (option("greedy", ("p0", 1, 5 * MS)), 0.0),
    )
    loop = Loop(Dispatcher(tenants, plan, board((1,), Preemption.SEGMENT), policies.get("rank_edf")))
    loop.run(4000 * MS, [], {**dict.fromkeys(range(len(segments_ms)), 2), len(segments_ms): 4})
    for i, rate in enumerate(rates):
        done = sum(1 for r in loop.ended if loop.arrivals[r][0] == i)
        assert done >= 0.95 * rate * 4 - 3


@pytest.mark.parametrize("overload", [1.0, 1.2])
def test_a_shortfall_is_shared_in_proportion_to_the_promises(overload: float) -> None:
    """Three tenants are promised a third of the lane each, times `overload`: each gets a third, whatever its speed."""
    segments_ms = [2, 5, 11]
    tenants = tuple(tenant(f"t{i}", 1, closed=2) for i in range(3))
    plan = shares(*((option(f"t{i}", ("p0", 1, ms * MS)), overload * 1e3 / 3 / ms) for i, ms in enumerate(segments_ms)))
    loop = Loop(Dispatcher(tenants, plan, board((1,)), policies.get("rank_edf")))
    loop.run(6600 * MS, [], {0: 2, 1: 2, 2: 2})
    for i, ms in enumerate(segments_ms):
        done = sum(1 for r in loop.ended if loop.arrivals[r][0] == i)
        assert done * ms == pytest.approx(2200, rel=0.03)


@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.floats(0.5, 1.5))
def test_a_lane_stays_with_a_model_but_nobody_gets_far_ahead_of_its_equals(segments_ms: list[int], overload: float) -> None:
    """In virtual time, which counts promises served, equals are never apart by more than the warm lead and one inference of each."""
    count = len(segments_ms)
    tenants = tuple(tenant(f"t{i}", 1, closed=2) for i in range(count))
    rates = [overload * 1e3 / count / ms for ms in segments_ms]
    plan = shares(*((option(f"t{i}", ("p0", 1, ms * MS)), rate) for i, (ms, rate) in enumerate(zip(segments_ms, rates, strict=True))))
    loop = Loop(Dispatcher(tenants, plan, board((1,)), policies.get("rank_edf")))
    loop.run(3000 * MS, [], dict.fromkeys(range(count), 2))
    served, order = [0.0] * count, [loop.arrivals[d.request][0] for _, d in loop.log if d.kind == START]
    for who in order:
        served[who] += 1e9 / rates[who]
        assert max(served) - min(served) <= 2 * WARM_NS + 2 * sum(1e9 / rate for rate in rates)
    changes = sum(one != other for one, other in pairwise(order))
    assert changes <= 4 * 3000 * MS / (WARM_NS * min(1.0, overload)) + 2 * count


def test_a_warm_lane_does_not_keep_a_better_rank_or_an_earlier_deadline_waiting() -> None:
    """What runs on from before is preferred among equals alone."""
    tenants = (tenant("warm", 1, closed=1), tenant("due", 1, deadline_ns=50 * MS), tenant("other", 1, closed=1))
    plan = shares(*((option(name, ("p0", 1, 5 * MS)), 60.0) for name in ("warm", "due", "other")))
    loop = Loop(Dispatcher(tenants, plan, board((1,), Preemption.SEGMENT), policies.get("rank_edf")))
    loop.run(1000 * MS, [(at * MS, 1, 50 * MS) for at in range(3, 900, 100)], {0: 1, 2: 1})
    waits = [now_ns - loop.arrivals[d.request][1] for now_ns, d in loop.log if d.kind == START and loop.arrivals[d.request][0] == 1]
    assert len(waits) == 9
    assert max(waits) <= 5 * MS


def test_a_suspended_request_resumes_when_rank_0_has_ended() -> None:
    tenants = (tenant("first", 0), tenant("rest", 1, closed=1))
    plan = shares((option("first", ("p0", 1, 2 * MS)), 100.0), (option("rest", ("p0", 1, 10 * MS)), 50.0))
    loop = Loop(Dispatcher(tenants, plan, board((1,)), policies.get("rank_edf")))
    loop.run(12 * MS, [(4 * MS, 0, None)], {1: 1})
    assert [(t // MS, d.kind, loop.arrivals[d.request][0]) for t, d in loop.log[:4]] == [
        (0, START, 1),
        (4, SUSPEND, 1),
        (4, START, 0),
        (6, RESUME, 1),
    ]
    assert loop.log[4][0] == 12 * MS


def test_a_hopeless_request_is_dropped_where_its_tenant_says_so() -> None:
    tenants = (tenant("first", 0, deadline_ns=5 * MS, drop=True),)
    plan = shares((option("first", ("p0", 1, 4 * MS)), 100.0))
    loop = Loop(Dispatcher(tenants, plan, board((1,)), policies.get("rank_edf")))
    loop.run(20 * MS, [(1 * MS, 0, 5 * MS), (1 * MS, 0, 5 * MS)], {})
    assert sorted(loop.ended.values()) == ["done", "dropped"]
    assert [t for t, d in loop.log if d.kind == DROP] == [2 * MS + 1]


def test_another_plan_loses_nothing_that_is_outstanding() -> None:
    tenants = (tenant("a", 0, closed=3), tenant("b", 1, closed=3))
    before = shares((option("a", ("p0", 1, 3 * MS)), 100.0), (option("b", ("p0", 1, 4 * MS)), 50.0))
    after = shares((option("a", ("p1", 1, 2 * MS)), 100.0), (option("b", ("p0", 1, 4 * MS)), 70.0))
    dispatcher = Dispatcher(tenants, before, board((1, 1)), policies.get("rank_edf"))
    loop = Loop(dispatcher)
    loop.run(20 * MS, [], {0: 3, 1: 3})
    asked = loop.next_id
    dispatcher.apply(after)
    dispatcher.validate(loop.now_ns)
    for _ in range(40):
        loop.decide()
        finish = loop.next_finish()
        if finish is None:
            break
        loop.now_ns = finish[0]
        loop.finish(finish[1])
    assert set(loop.ended) == set(range(asked))


def test_a_policy_that_gives_no_number_is_named() -> None:
    def order(candidate: Candidate, scene: Scene) -> float:
        return float("nan")

    dispatcher = Dispatcher((tenant("a", 0),), shares((option("a", ("p0", 1, 1)), 1.0)), board((1,)), Policy(order=order), name="odd")
    dispatcher.arrive(0, 0, 0, None)
    with pytest.raises(Exception, match="policy odd at 7 ns: order gave NaN"):
        dispatcher.decide(7)
