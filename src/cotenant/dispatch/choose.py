"""The choice: which head goes first, on whose lanes."""

from __future__ import annotations

from cotenant.dispatch.lanes import can_yield, expect_left, find_open, is_warm
from cotenant.dispatch.promises import has_earned, turn
from cotenant.dispatch.state import AT_BOUNDARIES, AT_ONCE, BY_CLASS, NONE, NOT_A_NUMBER, RUNNING, Ints, State
from cotenant.policy import NOT_NOW


def list_running(s: State, now_ns: int) -> None:
    """List the slots on lanes, each once, with what is expected to be left of them."""
    count = 0
    for lane in range(len(s.lanes)):
        slot = s.lanes[lane].running
        if slot != NONE and s.slots[slot].lane == lane:
            expect_left(s, slot, now_ns)
            if s.slots[slot].due_ns < now_ns + s.slots[slot].remaining_ns:
                s.slots[slot].late = 1
            s.running[count] = slot
            count += 1
    s.desk[0].running = count


def list_ready(s: State) -> None:
    """List the heads of all queues, with what their tenants have earned; only those that might start, unless the policy sees all."""
    count = 0
    for index in range(s.desk[0].active):
        stage = s.stages[s.active[index]]
        if s.desk[0].sees_all == 0 and not _is_open(s, stage.processor):
            continue
        if stage.live != NONE:
            s.ready[count] = stage.live
            count += 1
            reckon_earned(s, stage.live)
        if stage.late != NONE:
            s.ready[count] = stage.late
            count += 1
            reckon_earned(s, stage.late)
    s.desk[0].ready = count


def _is_open(s: State, processor: int) -> bool:
    """Say whether a head before a step on this processor might start now."""
    row = s.processors[processor]
    return row.free > 0 or s.desk[0].places == 1 or (s.desk[0].preempts == 1 and row.preempts != AT_BOUNDARIES)


def reckon_earned(s: State, slot: int) -> None:
    """Say whether a head's start is promised work; whatever has begun is, and all is where nothing is promised to anybody."""
    c = s.slots[slot]
    if s.desk[0].promises == 0:
        c.earned = 1
    elif c.begun == 1:
        c.earned = max(c.earned, 1 - c.parked)
    elif s.tenants[c.tenant].rate > 0.0:
        c.earned = has_earned(s, c.tenant, is_warm(s, c.position))
    else:
        c.earned = 0


def is_sound(s: State) -> bool:
    """Say whether the order of every candidate, ready or running, is a number; else note the culprit."""
    culprit = NONE
    for index in range(s.desk[0].ready):
        if s.slots[s.ready[index]].value != s.slots[s.ready[index]].value:
            culprit = s.ready[index]
    for index in range(s.desk[0].running):
        if s.slots[s.running[index]].value != s.slots[s.running[index]].value:
            culprit = s.running[index]
    if culprit != NONE:
        s.desk[0].bad = NOT_A_NUMBER
        s.desk[0].culprit = culprit
    return culprit == NONE


def first(s: State) -> int:
    """Return the index in `ready` of whoever goes first among those that might start, NONE if there is nobody."""
    best = NONE
    for index in range(s.desk[0].ready):
        slot = s.ready[index]
        if s.slots[slot].value < NOT_NOW and _might_start(s, slot) and (best == NONE or _goes_first(s, slot, s.ready[best])):
            best = index
    return best


def _might_start(s: State, slot: int) -> bool:
    c = s.slots[slot]
    desk = s.desk[0]
    if s.stages[c.position].blocked == desk.decision:
        return False
    if desk.places == 1 and c.parked == 0:
        return True
    if is_blocked(s, c.position):
        return False
    return s.processors[c.processor].free > 0 or (desk.preempts == 1 and may_preempt(s, slot, c.processor))


def is_blocked(s: State, position: int) -> bool:
    """Say whether somebody ahead waits for several lanes of a stage's processor."""
    return s.processors[s.stages[position].processor].blocked == s.desk[0].decision


def _goes_first(s: State, one: int, other: int) -> bool:
    a, b, desk = s.slots[one], s.slots[other], s.desk[0]
    if desk.holds == 1 and a.begun != b.begun:
        return a.begun > b.begun
    if a.earned != b.earned:
        return a.earned > b.earned
    if desk.late_last == 1 and a.late != b.late:
        return a.late < b.late
    if a.value != b.value:
        return a.value < b.value
    return _wins_tie(s, one, other)


def _wins_tie(s: State, one: int, other: int) -> bool:
    a, b = s.slots[one], s.slots[other]
    if a.rank != b.rank:
        return a.rank < b.rank
    mine, theirs = turn(s, a.tenant, is_warm(s, a.position)), turn(s, b.tenant, is_warm(s, b.position))
    if mine != theirs:
        return mine < theirs
    if a.arrival_ns != b.arrival_ns:
        return a.arrival_ns < b.arrival_ns
    return a.request < b.request


def may_preempt(s: State, slot: int, processor: int) -> bool:
    """Say whether a ready request may interrupt what runs on a processor."""
    how = s.processors[processor].preempts
    return how == AT_ONCE or (how == BY_CLASS and s.tenants[s.slots[slot].tenant].critical == 1)


def lanes_for(s: State, slot: int, position: int, lanes: Ints) -> int:
    """Write the lanes for a step: open ones, then those of the worst that can yield one lane; return how many were found."""
    stage = s.stages[position]
    c = s.slots[slot]
    found = find_open(s, position, s.tenants[c.tenant].critical, lanes)
    if (
        s.desk[0].preempts == 0
        or c.earned == 0
        or s.processors[stage.processor].preempts != BY_CLASS
        or not may_preempt(s, slot, stage.processor)
    ):
        return found
    while found < stage.width:
        victim = _lane_to_yield(s, stage.processor, c.value, lanes, found)
        if victim == NONE:
            break
        lanes[found] = victim
        found += 1
    return found


def _lane_to_yield(s: State, processor: int, own: float, lanes: Ints, found: int) -> int:
    worst, worst_value = NONE, own
    for lane in range(s.processors[processor].lane, s.processors[processor].lane + s.processors[processor].lanes):
        taken = False
        for index in range(found):
            taken = taken or lanes[index] == lane
        if taken or not can_yield(s, lane):
            continue
        value = s.slots[s.lanes[lane].running].value
        if value > worst_value:
            worst, worst_value = lane, value
    return worst


def lanes_of_worse(s: State, slot: int, processor: int) -> int:
    """Count the lanes of a processor that preempts at once whose requests go after `slot`."""
    count = 0
    if s.desk[0].preempts == 0 or s.processors[processor].preempts != AT_ONCE:
        return 0
    for index in range(s.desk[0].running):
        other = s.running[index]
        if _may_be_preempted(s, other, slot, processor):
            count += s.slots[other].width
    return count


def victim_for(s: State, slot: int, processor: int) -> int:
    """Return the worst running slot that goes after `slot` on a processor that preempts at once, NONE if nobody does."""
    worst = NONE
    for index in range(s.desk[0].running):
        other = s.running[index]
        if _may_be_preempted(s, other, slot, processor) and (worst == NONE or _is_worse(s, other, worst)):
            worst = other
    return worst


def _may_be_preempted(s: State, other: int, slot: int, processor: int) -> bool:
    c = s.slots[other]
    return c.state == RUNNING and c.processor == processor and _is_worse(s, other, slot)


def _is_worse(s: State, one: int, other: int) -> bool:
    """Say whether one goes after the other for a reason that is worth an interruption: not by a tie."""
    a, b = s.slots[one], s.slots[other]
    if a.earned != b.earned:
        return a.earned < b.earned
    if s.desk[0].late_last == 1 and a.late != b.late:
        return a.late > b.late
    return a.value > b.value
