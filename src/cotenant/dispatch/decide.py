"""The decision: who starts, who is suspended, who is dropped."""

from __future__ import annotations

from cotenant.dispatch.ask import Asks
from cotenant.dispatch.choose import (
    check,
    expect_running,
    find_worst,
    first,
    has_room,
    is_anybody_back,
    is_blocked,
    is_worse,
    lanes_for,
    lanes_of_worse,
    list_ready,
    list_running,
    open_processors,
    replace_head,
    sift,
)
from cotenant.dispatch.crowd import first_to_yield
from cotenant.dispatch.events import end, stand
from cotenant.dispatch.lanes import occupy, preempt, resume, stop_running, suspend
from cotenant.dispatch.promises import charge, may_lead, refill
from cotenant.dispatch.queues import dequeue, is_any_queued, next_late_ns, settle_late, withdraw
from cotenant.dispatch.reserved import bring_home, go_back, reach_out
from cotenant.dispatch.rest import does_rest, next_roused_ns, rest_after_start, rouse
from cotenant.dispatch.state import AT_ONCE, ENDLESS, NO_SUCH_STEP, NONE, SOUND, Ints, StageRow, State
from cotenant.policy import NEVER_NS

START, RESUME, SUSPEND, DROP, EVICT = 0, 1, 2, 3, 4
"""The kinds of decisions. DROP ends a request that is too late, EVICT one that its tenant's queue has no room for."""

FIELDS = 4
"""A decision is kind, slot, lane, request."""

NOT_YET_NS = -1
"""Before any instant: nobody is late then."""

BAD = -1
"""Returned instead of a count when the policy's answer makes no sense; `s.desk[0]` says why."""


def room(lanes: int, slots: int) -> int:
    """Return how many numbers `out` must hold: who is dropped before and after the others start, too, and who resumes."""
    return FIELDS * (8 * lanes + 2 * slots)


def decide(s: State, asks: Asks, now_ns: int, out: Ints, lanes: Ints) -> int:
    """Fill lanes until nobody can start; write the decisions to `out` and return how many there are.

    `out` must hold `room` numbers; `lanes` one for each lane.
    """
    s.desk[0].decision += 1
    s.desk[0].bad = SOUND
    s.desk[0].stale = s.desk[0].reached = 0
    refill(s, now_ns)
    rouse(s, now_ns)
    count = _drop_late(s, now_ns, out, 0)
    list_running(s)
    expect_running(s, now_ns)
    bring_home(s)
    open_processors(s)
    list_ready(s, now_ns)
    asks.orders(s, now_ns)
    best, goes_on = sift(s), True
    while goes_on:  # the one place where anybody is started: compiled, all of it becomes part of this loop
        if best != NONE:
            count = _start(s, asks, now_ns, best, out, lanes, count)
        else:
            count = _make_way(s, now_ns, out, count)
            goes_on = s.desk[0].stale == 1
        best = _ask_newcomers(s, asks, now_ns) if s.desk[0].stale == 1 else first(s)
    if s.desk[0].bad != SOUND:
        return BAD
    return _resume(s, now_ns, out, count)


def wake_ns(s: State, now_ns: int) -> int:
    """Return when to decide again though nothing happened, or NEVER_NS; past the instant of the last decision."""
    wake = next_late_ns(s) if s.desk[0].drops == 1 else NEVER_NS
    if s.desk[0].period_ns > 0 and is_any_queued(s):
        wake = min(wake, now_ns + s.desk[0].period_ns)
    if s.desk[0].resting == 1:
        wake = min(wake, max(now_ns + 1, next_roused_ns(s)))
    return wake


def _make_way(s: State, now_ns: int, out: Ints, count: int) -> int:
    """When nobody can start any more: let those try common lanes for whom the reserved ones are too few, as long as one of them starts.

    Then drop who is late by now, and whom no queue has room for: those may start that stood behind them, or were set aside for them.
    `stale` says whether anybody may.
    """
    desk = s.desk[0]
    if desk.reached == 1:
        go_back(s)
    if desk.bad != SOUND:
        return count
    if (desk.reached == 0 or count > desk.written) and reach_out(s):
        desk.reached = 1
    else:
        desk.reached = 0
        kept = count
        count = _evict(s, out, _drop_late(s, now_ns, out, count))
        if count == kept:
            return count
    desk.written = count
    desk.decision += 1
    desk.stale = 1
    return count


def _evict(s: State, out: Ints, count: int) -> int:
    """Let the oldest make room wherever more wait of a tenant than may."""
    if s.desk[0].crowded == 0:
        return count
    for tenant in range(len(s.tenants)):
        while s.tenants[tenant].waiting > s.tenants[tenant].bound:
            slot = first_to_yield(s, tenant)
            withdraw(s, slot)
            count = _write(s, out, count, EVICT, slot, NONE)
            end(s, slot)
    s.desk[0].crowded = 0
    return count


def _start(s: State, asks: Asks, now_ns: int, best: int, out: Ints, lanes: Ints, count: int) -> int:
    """Start a head if there are lanes for it, else set it aside; return the count of decisions."""
    slot = s.ready[best]
    c = s.slots[slot]
    position = c.position if c.parked == 1 else asks.step(s, slot, now_ns)
    if position == NONE:
        s.desk[0].bad = NO_SUCH_STEP
        s.desk[0].culprit = slot
        return count
    if (count + 4 * len(s.lanes) + len(s.slots)) * FIELDS > len(out):
        s.desk[0].bad = ENDLESS
        s.desk[0].culprit = slot
        return count
    stage = s.stages[position]
    found = lanes_for(s, slot, position, lanes)
    makes_room = found < stage.width
    if is_blocked(s, position) or (makes_room and found + lanes_of_worse(s, slot, stage.processor) < stage.width):
        _block(s, slot, stage)
        return count
    home, late = s.stages[c.position], c.late
    _leave_queue(s, slot)
    head = home.late if late == 1 else home.live
    if makes_room:
        count = _make_room(s, now_ns, slot, position, out, lanes, count)
    if position != c.position:
        stand(s, slot, position)
    count = _occupy(s, now_ns, slot, out, lanes, count)
    if makes_room or does_rest(s, slot):
        s.desk[0].stale = 1
    elif has_room(s):
        _follow(s, asks, now_ns, best, head)
    else:
        s.desk[0].ready = 0
    return count


def _make_room(s: State, now_ns: int, slot: int, position: int, out: Ints, lanes: Ints, count: int) -> int:
    """Preempt the worst that run, one after the other, until there are lanes for a step."""
    stage = s.stages[position]
    while lanes_for(s, slot, position, lanes) < stage.width:
        victim = s.processors[stage.processor].worst
        if victim == NONE or not is_worse(s, victim, slot):
            break
        for lane in range(len(s.lanes)):
            if s.lanes[lane].running == victim:
                count = _write(s, out, count, SUSPEND, victim, lane)
        preempt(s, victim, now_ns)
        find_worst(s)
    return count


def _ask_newcomers(s: State, asks: Asks, now_ns: int) -> int:
    """List the candidates again, and ask the order of those that the policy has not seen in this decision; return who goes first."""
    s.desk[0].stale = 0
    list_ready(s, NOT_YET_NS)
    for index in range(s.desk[0].ready):
        slot = s.ready[index]
        if s.slots[slot].asked != s.desk[0].decision:
            asks.order(s, slot, now_ns)
    return sift(s)


def _follow(s: State, asks: Asks, now_ns: int, index: int, head: int) -> None:
    """Let the next of a queue, if there is one, be a candidate in the place of one that has started."""
    replace_head(s, index, head)
    if head != NONE and s.slots[head].asked != s.desk[0].decision:
        asks.order(s, head, now_ns)
        check(s, head)


def _leave_queue(s: State, slot: int) -> None:
    c = s.slots[slot]
    if c.begun == 0:
        c.tag = s.tenants[c.tenant].served
        charge(s, c.tenant, may_lead(s, slot))
        s.tenants[c.tenant].waiting -= 1
    dequeue(s, c.position, c.late)
    c.begun = 1


def _occupy(s: State, now_ns: int, slot: int, out: Ints, lanes: Ints, count: int) -> int:
    c = s.slots[slot]
    c.since_ns = now_ns
    c.lane = lanes[0]
    s.tenants[c.tenant].last_ns = now_ns
    rest_after_start(s, c.tenant)
    for index in range(c.width):
        lane = lanes[index]
        victim = s.lanes[lane].running
        if victim != NONE:
            count = _write(s, out, count, SUSPEND, victim, lane)
            stop_running(s, victim, now_ns)
            suspend(s, lane)
        occupy(s, lane, slot)
        count = _write(s, out, count, START, slot, lane)
    return count


def _resume(s: State, now_ns: int, out: Ints, count: int) -> int:
    for lane in range(len(s.lanes)):
        if s.lanes[lane].running == NONE and s.lanes[lane].suspended != NONE:
            resume(s, lane, now_ns)
            count = _write(s, out, count, RESUME, s.lanes[lane].running, lane)
    return count


def _drop_late(s: State, now_ns: int, out: Ints, count: int) -> int:
    """Drop whoever is late, and whoever is found to be behind it, of the tenants that want it so."""
    if s.desk[0].drops == 0:
        return count
    for processor in range(len(s.processors)):
        row = s.processors[processor]
        for index in range(row.queue + row.queued - 1, row.queue - 1, -1):
            position = s.active[index]
            stage = s.stages[position]
            if s.tenants[s.options[stage.option].tenant].drop_late == 0:
                continue
            settle_late(s, position, now_ns)
            while stage.late != NONE:
                slot = dequeue(s, position, 1)
                count = _write(s, out, count, DROP, slot, NONE)
                end(s, slot)
    return count


def _block(s: State, slot: int, stage: StageRow) -> None:
    """Set a head aside for this decision; whoever waits for several lanes keeps the free ones from all behind it.

    Not while somebody runs there who goes before it and will be back: the free ones would only idle; rank 0 keeps them even then. Where
    anybody preempts anybody, nobody behind can take a lane that it could not.
    """
    s.desk[0].blocked = s.desk[0].decision
    s.stages[s.slots[slot].position].blocked = s.desk[0].decision
    keeps = s.tenants[s.slots[slot].tenant].critical == 1 or not is_anybody_back(s, slot, stage.processor)
    if s.processors[stage.processor].preempts == AT_ONCE or (stage.width > 1 and keeps):
        s.processors[stage.processor].blocked = s.desk[0].decision


def _write(s: State, out: Ints, count: int, kind: int, slot: int, lane: int) -> int:
    out[count * FIELDS] = kind
    out[count * FIELDS + 1] = slot
    out[count * FIELDS + 2] = lane
    out[count * FIELDS + 3] = s.slots[slot].request
    return count + 1
