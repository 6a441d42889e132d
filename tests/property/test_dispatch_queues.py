"""Queues that are full, and whose newest goes first."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.describe import QUEUE, Preemption
from cotenant.dispatch import DROP, EVICT, START, Dispatcher
from cotenant.dispatch.state import NONE, READY
from cotenant.policy import Policy, policies
from tests.property.dispatch_crews import ANY_POLICY, INSTANTS, MS, Crew, Loop, board, crews, option, shares, tenant

BUSY = st.lists(INSTANTS, min_size=5, max_size=25, unique=True)
"""Instants of arrivals, in whole ms."""

SEGMENT_NS = 5 * MS + 1
"""Such that nothing ends at an instant of an arrival."""


def one_lane(**ways: Any) -> Loop:
    """Serve one tenant on one lane."""
    return Loop((tenant("a", 0, **ways),), shares((option("a", ("p0", 1, SEGMENT_NS)), 100.0)), board((1,), Preemption.SEGMENT))


def waiting(loop: Loop, until: int) -> list[int]:
    """List who had arrived and neither begun nor ended before an entry of the log."""
    now_ns, gone = loop.log[until][0], {d.request for _, d in loop.log[:until]}
    return [request for request, (_, at_ns) in enumerate(loop.arrivals) if at_ns <= now_ns and request not in gone]


@given(BUSY, st.integers(1, 4), st.booleans())
def test_the_youngest_waiting_starts_where_the_newest_goes_first(times_ns: list[int], queue: int, bounded: bool) -> None:
    loop = one_lane(newest=True, queue=queue if bounded else None)
    loop.run(500 * MS, [(t, 0) for t in times_ns])
    starts = [index for index, (_, d) in enumerate(loop.log) if d.kind == START]
    assert [loop.log[index][1].request for index in starts] == [max(waiting(loop, index)) for index in starts]


@given(BUSY, st.integers(1, 4), st.booleans())
def test_the_oldest_waiting_makes_room_in_a_full_queue(times_ns: list[int], queue: int, newest: bool) -> None:
    loop = one_lane(newest=newest, queue=queue)
    loop.run(500 * MS, [(t, 0) for t in times_ns])
    for index in (index for index, (_, d) in enumerate(loop.log) if d.kind == EVICT):
        assert loop.log[index][1].request == min(waiting(loop, index))
        assert len(waiting(loop, index)) > queue


@given(st.lists(st.integers(1, 5), min_size=5, max_size=40), st.integers(1, 4), st.booleans())
def test_a_full_queue_keeps_the_lane_as_busy_as_one_without_a_bound(gaps_ms: list[int], queue: int, newest: bool) -> None:
    times_ns = [ms * MS for ms in accumulate(gaps_ms)]
    bounded, free = one_lane(newest=newest, queue=queue), one_lane(newest=newest)
    for loop in (bounded, free):
        loop.run(500 * MS, [(t, 0) for t in times_ns])
    starts = [[now_ns for now_ns, d in loop.log if d.kind == START and now_ns <= times_ns[-1]] for loop in (bounded, free)]
    assert starts[0] == starts[1]


@given(st.lists(INSTANTS, min_size=1, max_size=40), st.integers(1, 4))
def test_who_makes_room_was_late_where_as_many_may_wait_as_arrive_within_the_deadline(times_ns: list[int], lanes: int) -> None:
    """So no queue that is long enough loses what would have been served in time."""
    deadline_ns = 10 * MS
    most = max(sum(t <= other <= t + deadline_ns for other in times_ns) for t in times_ns)
    plan = shares((option("a", ("p0", 1, 7 * MS)), 100.0))
    loop = Loop((tenant("a", 0, deadline_ns=deadline_ns, queue=most),), plan, board((lanes,)))
    loop.run(500 * MS, [(t, 0) for t in times_ns])
    assert all(now_ns > loop.arrivals[d.request][1] + deadline_ns for now_ns, d in loop.log if d.kind == EVICT)


def test_what_cannot_be_in_time_is_dropped_as_late_before_anybody_makes_room() -> None:
    loop = one_lane(deadline_ns=12 * MS, drop=True, queue=2)
    loop.run(100 * MS, [(at * MS, 0) for at in (0, 1, 2, 9)])
    # The second starts when the first ends, after 5 ms. The third can be in time while it starts by 2 + 12 - 5 ms, and the fourth has room.
    assert [(now_ns, d.request) for now_ns, d in loop.log if d.kind == DROP] == [(2 * MS + 12 * MS - SEGMENT_NS + 1, 2)]
    assert not [d for _, d in loop.log if d.kind == EVICT]


def test_a_request_that_has_begun_makes_no_room() -> None:
    """It stands before its second segment when the queue is full of younger ones."""
    plan = shares((option("a", ("p0", 1, 4 * MS), ("p1", 1, 20 * MS)), 100.0))
    loop = Loop((tenant("a", 0, queue=1),), plan, board((1, 1), Preemption.SEGMENT))
    loop.run(500 * MS, [(at * MS, 0) for at in range(0, 40, 2)])
    begun = {d.request for _, d in loop.log if d.kind == START}
    evicted = {d.request for _, d in loop.log if d.kind == EVICT}
    assert evicted
    assert begun.isdisjoint(evicted)
    assert set(loop.ended) == begun | evicted


@pytest.mark.parametrize("newest", [False, True])
def test_an_interrupted_request_makes_no_room_and_goes_on_before_younger_ones(newest: bool) -> None:
    tenants = (tenant("first", 0), tenant("rest", 1, newest=newest, queue=1))
    plan = shares((option("first", ("p0", 1, 2 * MS)), 100.0), (option("rest", ("p0", 1, 10 * MS)), 50.0))
    loop = Loop(tenants, plan, board((1,), Preemption.INSTANT), policies.get("rank"))
    loop.run(50 * MS, [(4 * MS, 0), (0, 1), (5 * MS, 1), (5 * MS + 1, 1)])
    assert [(now_ns // MS, d.request) for now_ns, d in loop.log if d.kind == START] == [(0, 0), (4, 1), (6, 0), (12, 3)]
    assert [(now_ns, d.request) for now_ns, d in loop.log if d.kind == EVICT] == [(5 * MS + 1, 2)]


def test_the_newest_goes_first_among_the_late_too() -> None:
    """Two turn late while the first runs, two more after those have been set apart."""
    plan = shares((option("a", ("p0", 1, 5 * MS)), 100.0))
    dispatcher = Dispatcher((tenant("a", 0, newest=True),), plan, board((1,), Preemption.SEGMENT), policies.get("rank"))
    (running,) = [dispatcher.arrive(0, 0, 0, None)]
    dispatcher.decide(0)
    for number, now_ns in ((1, 1 * MS), (2, 2 * MS), (3, 20 * MS), (4, 21 * MS)):
        dispatcher.arrive(number, 0, now_ns, now_ns + 6 * MS)
        dispatcher.decide(now_ns)
        dispatcher.decide(now_ns + 10 * MS if number == 2 else now_ns)
        dispatcher.validate(now_ns)
    started: list[int] = []
    for now_ns in range(40 * MS, 40 * MS + 4):
        dispatcher.decide(now_ns)
        dispatcher.finish(running, now_ns)
        (start,) = dispatcher.decide(now_ns)
        running, started = start.slot, [*started, start.request]
    assert started == [4, 3, 2, 1]


def test_whoever_was_kept_back_by_the_dropped_starts_at_once() -> None:
    """Wide work keeps a free lane from narrow work behind it; when it makes room for one that is served elsewhere, the lane is nobody's."""
    tenants = (tenant("long", 0, closed=2), tenant("wide", 1, queue=1), tenant("narrow", 2))
    everywhere = ((option("long", ("p0", 1, 50 * MS)), 50.0), (option("long", ("p1", 1, 50 * MS)), 50.0))
    wide = ((option("wide", ("p0", 2, 1 * MS)), 50.0), (option("wide", ("p1", 1, 1 * MS)), 50.0))
    plan = shares(*everywhere, *wide, (option("narrow", ("p0", 1, 1 * MS)), 50.0))
    loop = Loop(tenants, plan, board((2, 1), Preemption.SEGMENT), policies.get("rank"))
    loop.run(40 * MS, [(1 * MS, 1), (2 * MS, 2), (3 * MS, 1)], {0: 2})
    # Requests 0 and 1 are long; 2 is wide and keeps a lane from 3, which is narrow, until 4 comes and waits for the other processor.
    told = [(now_ns // MS, d.kind, d.request) for now_ns, d in loop.log if now_ns < 40 * MS]
    assert told == [(0, START, 0), (0, START, 1), (3, EVICT, 2), (3, START, 3)]


@given(crews(), ANY_POLICY)
def test_the_queue_of_nobody_is_longer_than_it_may_be(crew: Crew, policy: Policy) -> None:
    loop = crew.served(policy, 100 * MS)
    for index, own in enumerate(crew.tenants):
        queued = [c for c in loop.dispatcher.state.slots if c.request != NONE and c.tenant == index and c.state == READY and not c.begun]
        assert index in crew.closed or len(queued) <= (own.queue or QUEUE)


@pytest.mark.parametrize("newest", [False, True])
def test_an_overload_takes_no_more_room_than_its_queue(newest: bool) -> None:
    """Three times what one lane serves, from a tenant that says nothing of its queue: as many slots after a while as for ever."""
    dispatcher = Dispatcher(
        (tenant("a", 1, newest=newest),), shares((option("a", ("p0", 1, 3 * MS)), 300.0)), board((1,)), policies.get("rank")
    )
    running, slots = NONE, set()
    for number in range(6 * QUEUE):
        dispatcher.arrive(number, 0, number * MS, None)
        if number % 3 == 0 and running != NONE:
            dispatcher.finish(running, number * MS)
        for decision in dispatcher.decide(number * MS):
            running = decision.slot if decision.kind == START else running
        slots.add(len(dispatcher.state.slots))
    assert dispatcher.outstanding(0) == QUEUE + 1
    assert max(slots) <= 2 * (QUEUE + 2)


def test_crews_that_are_drawn_fill_their_queues() -> None:
    """Else the laws would say little."""
    reached = {"evicted": 0, "newest": 0}

    @settings(max_examples=100, derandomize=True)
    @given(crews(), ANY_POLICY)
    def see(crew: Crew, policy: Policy) -> None:
        loop = crew.served(policy, 100 * MS)
        reached["evicted"] += "evicted" in loop.ended.values()
        reached["newest"] += any(t.serves_newest_first for t in crew.tenants)

    see()
    assert min(reached.values()) >= 5


def test_closed_tenants_have_no_bound_and_are_served_in_order() -> None:
    """They wait for their own: one that makes room would come back at once, and the newest first would let the others wait for ever."""
    own = tenant("a", 0, closed=5, newest=True, queue=1)
    assert (own.most_waiting, own.serves_newest_first) == (None, False)
    loop = Loop((own,), shares((option("a", ("p0", 1, 5 * MS)), 100.0)), board((1,)))
    loop.run(100 * MS, closed={0: 5})
    assert sorted(loop.ended) == list(range(len(loop.ended)))
    assert set(loop.ended.values()) == {"done"}
    assert replace(own, queue=None).most_waiting is None
