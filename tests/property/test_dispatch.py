"""The laws of dispatching, over random crews, plans, policies and events."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Preemption
from cotenant.dispatch import DROP, NONE, RESUME, START, SUSPEND, Dispatcher
from cotenant.dispatch.lineup import CLOSED_DEPTH_S
from cotenant.dispatch.promises import WARM_NS
from cotenant.policy import Policy, policies
from tests.property.dispatch_crews import ANY_POLICY, ELSEWHERE, MS, POLICIES, Crew, Loop, board, crews, option, shares, tenant


@given(crews(), ANY_POLICY)
def test_every_decision_is_within_the_laws_under_every_policy(crew: Crew, policy: Policy) -> None:
    crew.served(policy, 100 * MS)


@given(crews(crowded=Preemption.CLASS), ANY_POLICY)
def test_every_decision_is_within_the_laws_where_rank_0_interrupts_others(crew: Crew, policy: Policy) -> None:
    crew.served(policy, 100 * MS)


@given(crews(crowded=Preemption.INSTANT), ANY_POLICY)
def test_every_decision_is_within_the_laws_where_anybody_interrupts_anybody(crew: Crew, policy: Policy) -> None:
    crew.served(policy, 100 * MS)


@given(crews(alike=True), st.sampled_from(ELSEWHERE))
def test_every_decision_is_within_the_laws_where_the_policy_says_where_and_how_wide(crew: Crew, policy: Policy) -> None:
    crew.served(policy, 100 * MS)


@given(crews(alike=True), st.sampled_from(policies.names()))
def test_every_decision_is_within_the_laws_under_every_policy_that_we_ship(crew: Crew, name: str) -> None:
    """What they answer may depend on more than the candidate, so that the books foresee all but that."""
    crew.served(policies.get(name), 100 * MS, foreseen=False)


@given(crews(), ANY_POLICY)
def test_every_request_ends_exactly_once_under_every_policy(crew: Crew, policy: Policy) -> None:
    loop = crew.served(policy, 100 * MS)
    outstanding = {c.request for c in loop.dispatcher.state.slots if c.request != NONE}
    assert outstanding.isdisjoint(loop.ended)
    assert outstanding | set(loop.ended) == set(range(len(loop.arrivals)))
    for slot in loop.dispatcher.flush():
        loop.flushed(slot)
    loop.audit()
    assert set(loop.slots) == {*loop.books.runs.values(), *loop.books.suspended.values()}


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
    arrivals = [(int(n * 1e9 / rate), i) for i, rate in enumerate(rates) if crew[i][1] for n in range(int(rate))]
    loop = Loop(tenants, plan, board((1,), Preemption.SEGMENT))
    loop.run(1000 * MS, arrivals, {i: 4 if i == count else 2 for i in range(count + 1) if i == count or not crew[i][1]})
    for i, rate in enumerate(rates):
        done = sum(1 for r in loop.ended if loop.arrivals[r][0] == i)
        assert done >= 0.95 * rate - 3


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
    loop.run(1000 * MS, closed=dict.fromkeys(range(count), 2))
    served, order = [0.0] * count, loop.begun()
    for who in order:
        served[who] += 1e9 / rates[who]
        assert max(served) - min(served) <= 2 * WARM_NS + 4 * sum(1e9 / rate for rate in rates)
    changes = sum(one != other for one, other in pairwise(order))
    assert changes <= 4 * 1000 * MS / (WARM_NS * min(1.0, overload)) + 2 * count


@pytest.mark.parametrize("others", [0, 1])
def test_a_lane_stays_with_no_option_until_it_has_served_all_that_wait_for_it(others: int) -> None:
    """The two go different ways behind their first segment: whoever went first for long would leave the other's way idle."""
    tenants = (tenant("both", 1, closed=40), tenant("other", 1, closed=2))
    ways = [option("both", ("p0", 1, 5 * MS), (way, 1, 1 * MS)) for way in ("p1", "p2")]
    plan = shares(*((way, 50.0) for way in ways), (option("other", ("p0", 1, 5 * MS)), 100.0))
    loop = Loop(tenants, plan, board((1, 1, 1)))
    loop.run(1000 * MS, closed={0: 40, 1: 2 * others})
    then = [d.lane for _, d in loop.log if d.kind == START and d.lane > 0]
    lead = WARM_NS * 100.0 / 1e9
    longest = max(len(list(same)) for _, same in groupby(then))
    assert 2 <= longest <= 2 * lead + 2
    assert abs(then.count(1) - then.count(2)) <= lead + 2


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
        dispatcher.finish(start.slot, now_ns)
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
    earned = [t.tokens for t in dispatcher.state.tenants]
    dispatcher.decide(50 * MS)
    assert [t.tokens for t in dispatcher.state.tenants] == earned


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


@pytest.mark.parametrize("late_last", [False, True])
def test_who_is_late_in_rank_0_interrupts_whoever_goes_after_it_and_nobody_else(late_last: bool) -> None:
    tenants = (tenant("late", 0, deadline_ns=2 * MS), tenant("other", 1))
    plan = shares((option("late", ("p0", 1, 5 * MS)), 50.0), (option("other", ("p0", 1, 9 * MS)), 50.0))
    by_index = Policy(order=lambda candidate, _: candidate.tenant, late_last=late_last)
    one = Dispatcher(tenants, plan, board((1,), Preemption.CLASS), by_index)
    other = one.arrive(0, 1, 0, None)
    one.decide(0)
    late = one.arrive(1, 0, MS, 3 * MS)
    assert [(d.kind, d.slot) for d in one.decide(MS)] == ([] if late_last else [(SUSPEND, other), (START, late)])
