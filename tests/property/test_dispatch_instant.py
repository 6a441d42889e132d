"""Where anybody may interrupt anybody at once: who does, and what becomes of the work."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given

from cotenant.describe import Preemption
from cotenant.dispatch import DROP, NONE, START, SUSPEND, Dispatcher
from cotenant.dispatch.ask import asks_of
from cotenant.dispatch.choose import expect_running, list_running
from cotenant.policy import NOT_NOW, UNLIMITED, Candidate, Policy, Scene, policies
from tests.property.dispatch_crews import ANY_POLICY, MS, Crew, Loop, board, crews, option, shares, tenant

INSTANT = Preemption.INSTANT
BY_REST = Policy(order=lambda candidate, _: candidate.remaining_ns)
BY_INDEX = Policy(order=lambda candidate, _: candidate.tenant)


def told(loop: Loop) -> list[tuple[int, int, int, int]]:
    """Return the log as (ms, kind, tenant, lane)."""
    return [(t // MS, d.kind, loop.arrivals[d.request][0], d.lane) for t, d in loop.log]


@given(crews(crowded=INSTANT), ANY_POLICY)
def test_the_runs_of_a_segment_add_up_to_it(crew: Crew, policy: Policy) -> None:
    """No segment is slow or quick here: the runs of those that ended are as long as the chains that they were given."""
    loop = replace(crew, fate={}, changes=[]).served(policy, 100 * MS)
    since_ns: dict[int, int] = {}
    ran_ns: dict[int, int] = defaultdict(int)
    lanes: dict[int, int] = defaultdict(int)
    for now_ns, d in loop.log:
        if d.kind == START:
            lanes[d.request] += 1
            since_ns.setdefault(d.request, now_ns)
        elif d.kind == SUSPEND:
            lanes[d.request] -= 1
            ran_ns[d.request] += now_ns - since_ns.pop(d.request, now_ns)
    starts = {r for r, how in loop.ended.items() if how == "done"}
    single = {r for r in starts if len(loop.chains[r].chain) == 1}
    assert all(lanes[r] == loop.chains[r].chain[0].width for r in single)
    assert {r: ran_ns[r] + loop.ended_ns[r] - since_ns[r] for r in single} == {r: loop.chains[r].latency_ns for r in single}


def test_the_shorter_rest_goes_first_and_what_it_interrupts_goes_on_where_there_is_a_lane() -> None:
    tenants = (tenant("long", 0), tenant("longer", 1), tenant("short", 2))
    plan = shares(*((option(t.name, ("p0", 1, ms * MS)), 0.0) for t, ms in zip(tenants, (8, 20, 3), strict=True)))
    loop = Loop(tenants, plan, board((2,), INSTANT), BY_REST)
    loop.run(60 * MS, [(0, 0), (0, 1), (4 * MS, 2), (5 * MS, 2)])
    assert told(loop) == [
        (0, START, 0, 0),
        (0, START, 1, 1),
        (4, SUSPEND, 1, 1),  # 16 ms are left of it, 4 ms of the other
        (4, START, 2, 1),
        (7, START, 2, 1),
        (8, START, 1, 0),
    ]
    assert loop.ended_ns[1] == 24 * MS


def test_as_much_is_left_of_interrupted_work_as_it_has_not_run() -> None:
    """10 ms, of which 4 and 3 have run: with 3 ms left, it is no longer interrupted by 4 ms."""
    tenants = (tenant("long", 0), tenant("short", 1))
    plan = shares((option("long", ("p0", 1, 10 * MS), ("p0", 1, 1 * MS)), 0.0), (option("short", ("p0", 1, 4 * MS)), 0.0))
    loop = Loop(tenants, plan, board((1,), INSTANT), BY_REST)
    loop.run(60 * MS, [(0, 0), (4 * MS, 1), (11 * MS, 1), (16 * MS, 1)])
    starts = [(0, START, 0, 0), (4, SUSPEND, 0, 0), (4, START, 1, 0), (8, START, 0, 0)]
    assert told(loop) == [*starts, (14, START, 0, 0), (15, START, 1, 0), (19, START, 1, 0)]


def test_who_gives_way_and_is_dropped_holds_no_lane_that_another_could_go_on_on() -> None:
    """What is served on two lanes takes longer than expected; interrupted, it is late, and is dropped once it has been tried again."""
    tenants = (tenant("first", 0), tenant("wide", 0, deadline_ns=10 * MS, drop=True), tenant("last", 0))
    plan = shares(
        (option("first", ("p0", 2, 5 * MS)), 0.0), (option("wide", ("p0", 2, 8 * MS)), 0.0), (option("last", ("p0", 1, 90 * MS)), 0.0)
    )
    one = Dispatcher(tenants, plan, board((3,), INSTANT), BY_INDEX)
    wide, last = one.arrive(0, 1, 0, 10 * MS), one.arrive(1, 2, 0, None)
    assert [(d.kind, d.slot) for d in one.decide(0)] == [(START, wide), (START, wide), (START, last)]
    first = one.arrive(2, 0, 12 * MS, None)
    given_up = [(SUSPEND, last, 2), (SUSPEND, wide, 0), (SUSPEND, wide, 1), (START, first, 0), (START, first, 1), (DROP, wide, NONE)]
    assert [(d.kind, d.slot, d.lane) for d in one.decide(12 * MS)] == [*given_up, (START, last, 2)]


def test_one_that_needs_several_lanes_takes_those_of_the_worst_and_no_more() -> None:
    tenants = tuple(tenant(f"t{i}", 0) for i in range(4))
    widths = [2, 1, 1, 1]
    plan = shares(*((option(t.name, ("p0", w, 9 * MS)), 0.0) for t, w in zip(tenants, widths, strict=True)))
    loop = Loop(tenants, plan, board((3,), INSTANT), BY_INDEX)
    loop.run(5 * MS, [(0, 1), (0, 2), (0, 3), (1 * MS, 0)])
    assert told(loop)[3:7] == [(1, SUSPEND, 3, 2), (1, SUSPEND, 2, 1), (1, START, 0, 1), (1, START, 0, 2)]


def test_what_is_wide_leaves_all_its_lanes_and_the_rest_of_them_is_for_others() -> None:
    tenants = tuple(tenant(f"t{i}", 0) for i in range(3))
    plan = shares(*((option(t.name, ("p0", w, 9 * MS)), 0.0) for t, w in zip(tenants, (1, 1, 2), strict=True)))
    loop = Loop(tenants, plan, board((2,), INSTANT), BY_INDEX)
    loop.run(5 * MS, [(0, 2), (1 * MS, 0), (1 * MS, 1)])
    assert told(loop)[2:6] == [(1, SUSPEND, 2, 0), (1, SUSPEND, 2, 1), (1, START, 0, 0), (1, START, 1, 1)]


def test_work_that_is_promised_interrupts_work_that_is_not_whatever_the_order() -> None:
    tenants = (tenant("greedy", 0), tenant("promised", 2))
    plan = shares((option("greedy", ("p0", 1, 9 * MS)), 0.0), (option("promised", ("p0", 1, 2 * MS)), 10.0))
    loop = Loop(tenants, plan, board((1,), INSTANT), BY_INDEX)
    loop.run(20 * MS, [(0, 0), (3 * MS, 1)])
    assert [(t, kind, who) for t, kind, who, _ in told(loop)] == [(0, START, 0), (3, SUSPEND, 0), (3, START, 1), (5, START, 0)]


def test_equals_do_not_interrupt_each_other() -> None:
    tenants = (tenant("first", 0), tenant("second", 1))
    plan = shares((option("first", ("p0", 1, 2 * MS)), 0.0), (option("second", ("p0", 1, 9 * MS)), 0.0))
    loop = Loop(tenants, plan, board((1,), INSTANT), Policy(order=lambda _, __: 0.0))
    loop.run(20 * MS, [(0, 1), (3 * MS, 0)])
    assert [(t, kind, who) for t, kind, who, _ in told(loop)] == [(0, START, 1), (9, START, 0)]


@pytest.mark.parametrize("late_last", [False, True])
def test_what_is_late_is_interrupted_by_what_can_be_in_time_where_the_late_go_last(late_last: bool) -> None:
    """By deadline alone, the late one, which was due sooner, goes first."""
    tenants = (tenant("late", 0, deadline_ns=5 * MS), tenant("soon", 1, deadline_ns=9 * MS))
    plan = shares((option("late", ("p0", 1, 8 * MS)), 0.0), (option("soon", ("p0", 1, 2 * MS)), 0.0))
    loop = Loop(tenants, plan, board((1,), INSTANT), replace(policies.get("edf"), late_last=late_last))
    loop.run(20 * MS, [(0, 0), (3 * MS, 1)])
    expected = [(0, START, 0), (3, SUSPEND, 0), (3, START, 1), (5, START, 0)] if late_last else [(0, START, 0), (8, START, 1)]
    assert [(t, kind, who) for t, kind, who, _ in told(loop)] == expected


@pytest.mark.parametrize("preemption", [INSTANT, Preemption.CLASS, Preemption.SEGMENT])
@pytest.mark.parametrize("holds", [False, True])
def test_who_holds_runs_to_its_end_before_anybody_who_has_not_begun(preemption: Preemption, holds: bool) -> None:
    tenants = (tenant("best", 0), tenant("rest", 1))
    plan = shares((option("best", ("p0", 1, 2 * MS)), 500.0), (option("rest", ("p0", 1, 3 * MS), ("p0", 1, 3 * MS)), 0.0))
    loop = Loop(tenants, plan, board((1,), preemption), replace(BY_INDEX, holds=holds))
    loop.run(20 * MS, [(0, 1), (1 * MS, 0)])
    (best,) = [t for t, kind, who, _ in told(loop) if (kind, who) == (START, 0)]
    assert best == (6 if holds else 3 if preemption is Preemption.SEGMENT else 1)
    assert not holds or SUSPEND not in [d.kind for _, d in loop.log]


def test_one_kept_waiting_starts_at_the_next_period_that_lets_it() -> None:
    late = Policy(order=lambda candidate, scene: NOT_NOW if scene.now_ns < 5 * MS else 0.0, period_ns=2 * MS)
    loop = Loop((tenant("a", 0),), shares((option("a", ("p0", 1, 3 * MS)), 1.0)), board((1,)), late)
    loop.run(20 * MS, [(1 * MS, 0)])
    assert [now_ns for now_ns, _ in loop.log] == [5 * MS]
    assert loop.dispatcher.wake_ns(20 * MS) is None


def test_wide_work_that_waits_keeps_its_lanes_from_those_whom_the_policy_places_there() -> None:
    """The first of p0 is at work; the wide one waits for both lanes of p1; who comes last is planned on p0 and placed on p1."""
    names = ("busy", "wide", "moved")
    steps = [[("p1", 1, 9 * MS)], [("p1", 2, 2 * MS)], [("p0", 1, 2 * MS)]]
    plan = shares(*((option(name, *step), 0.0) for name, step in zip(names, steps, strict=True)), (option("moved", ("p1", 1, 2 * MS)), 0.0))
    where = Policy(order=lambda candidate, _: candidate.tenant, place=lambda candidate, _: 1)
    loop = Loop(tuple(tenant(name, 1) for name in names), plan, board((1, 2)), where)
    loop.run(20 * MS, [(0, 0), (1 * MS, 1), (2 * MS, 2)])
    assert [(t, kind, who) for t, kind, who, _ in told(loop)] == [(0, START, 0), (9, START, 1), (9, START, 1), (11, START, 2)]


def test_who_is_placed_elsewhere_does_not_wait_for_a_lane_where_it_is_planned() -> None:
    plan = shares((option("a", ("p0", 1, 9 * MS)), 1.0), (option("a", ("p1", 1, 9 * MS)), 0.0))
    where = Policy(order=lambda _, __: 0.0, place=lambda candidate, _: candidate.request % 2)
    loop = Loop((tenant("a", 1),), plan, board((1, 1)), where)
    loop.run(5 * MS, [(0, 0), (1 * MS, 0)])
    assert told(loop) == [(0, START, 0, 0), (1, START, 0, 1)]


def test_a_policy_says_how_much_bandwidth_each_that_runs_is_granted_first() -> None:
    asked = []

    def share(candidate: Candidate, scene: Scene) -> float:
        asked.append((candidate.request, scene.now_ns))
        return 2.0 * candidate.bytes_per_ns if candidate.request else float("inf")

    policy = Policy(order=lambda _, __: 0.0, share=share)
    one = Dispatcher((tenant("a", 0),), shares((option("a", ("p0", 1, 5 * MS)), 1.0)), board((2,)), policy)
    for request in range(3):
        one.arrive(request, 0, 0, None)
    started = one.decide(3)
    assert not asked
    list_running(one.state)
    expect_running(one.state, 4)
    asks_of(policy).shares(one.state, 4)
    assert sorted(asked) == [(0, 4), (1, 4)]
    granted = {d.request: one.state.slots[d.slot].share for d in started}
    assert granted == {0: UNLIMITED, 1: 2.0 * one.state.stages[0].bytes_per_ns}
