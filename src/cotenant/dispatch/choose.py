"""The choice: which head goes first, on whose lanes."""

from __future__ import annotations

from cotenant.dispatch.lanes import can_yield, expect_left, find_open
from cotenant.dispatch.promises import has_earned, may_lead, turn
from cotenant.dispatch.queues import settle_late
from cotenant.dispatch.rest import does_rest
from cotenant.dispatch.state import AT_BOUNDARIES, AT_ONCE, BY_CLASS, NONE, NOT_A_NUMBER, RUNNING, SOUND, Ints, ProcessorRow, State
from cotenant.policy import NEVER_NS, NOT_NOW


def list_running(s: State) -> None:
    """List the slots on lanes, each once."""
    count = 0
    for lane in range(len(s.lanes)):
        slot = s.lanes[lane].running
        if slot != NONE and s.slots[slot].lane == lane:
            s.running[count] = slot
            count += 1
    s.desk[0].running = count


def expect_running(s: State, now_ns: int) -> None:
    """Reckon what is left of all that is listed as running; what cannot be in time turns late."""
    for index in range(s.desk[0].running):
        slot = s.running[index]
        c = s.slots[slot]
        expect_left(s, slot, now_ns)
        if c.late == 0 and c.due_ns < now_ns + c.remaining_ns:
            c.late = 1
            s.processors[c.processor].touched = 1


def list_ready(s: State, now_ns: int) -> None:
    """List the heads of the queues, with what their tenants have earned; only those that might start, unless the policy sees all.

    Those that cannot be in time at `now_ns` turn late.
    """
    s.desk[0].ready = 0
    for processor in range(len(s.processors)):
        row = s.processors[processor]
        if row.news == 1 or now_ns > row.late_ns:
            row.listed = s.desk[0].decision
        if row.open == 1 or row.free > 0 or row.listed == s.desk[0].decision:
            _list_heads(s, row, now_ns)


def _list_heads(s: State, row: ProcessorRow, now_ns: int) -> None:
    """List the heads of the queues of a processor."""
    decision = s.desk[0].decision
    if now_ns > row.late_ns:
        _settle_all(s, row, now_ns)
    since = _listed_since(s, row)
    for index in range(row.queue, row.queue + row.queued):
        stage = s.stages[s.active[index]]
        if stage.touched == 1:
            stage.touched = 0
            stage.listed = decision
        if stage.listed >= since:
            _list_head(s, stage.live)
            _list_head(s, stage.late)
    row.news = 0


def _listed_since(s: State, row: ProcessorRow) -> int:
    """Return the decision since which a head of a processor must have come up to be a candidate: any, this one or none."""
    if row.open == 1 or row.free > 0:
        return 0
    return s.desk[0].decision if s.desk[0].preempts == 1 and row.preempts != AT_BOUNDARIES else s.desk[0].decision + 1


def _settle_all(s: State, row: ProcessorRow, now_ns: int) -> None:
    """Let the heads of a processor turn late that can no longer be in time; note when the next will."""
    row.late_ns = NEVER_NS
    for index in range(row.queue, row.queue + row.queued):
        settle_late(s, s.active[index], now_ns)
        stage = s.stages[s.active[index]]
        if stage.live != NONE:
            row.late_ns = min(row.late_ns, stage.late_ns)


def _list_head(s: State, slot: int) -> None:
    desk = s.desk[0]
    if slot != NONE and not does_rest(s, slot):
        s.ready[desk.ready] = slot
        desk.ready += 1
        reckon_earned(s, slot)


def replace_head(s: State, index: int, head: int) -> None:
    """List the next of a queue in the place of one that has started, or nobody if its queue is empty."""
    desk = s.desk[0]
    if head == NONE:
        desk.ready -= 1
        s.ready[index] = s.ready[desk.ready]
    else:
        s.ready[index] = head
        reckon_earned(s, head)
    for other in range(desk.ready * desk.promises):
        if s.slots[s.ready[other]].begun == 0:
            reckon_earned(s, s.ready[other])


def open_processors(s: State) -> None:
    """Say where all heads are candidates: where lanes are free, where they might interrupt others now, wherever the policy sees all.

    Elsewhere only those that have come up since the last decision are: the rest did not interrupt what runs when they were.
    """
    desk = s.desk[0]
    for index in range(len(s.processors)):
        row = s.processors[index]
        interrupts = desk.preempts == 1 and row.preempts != AT_BOUNDARIES
        wanted = desk.sees_all == 1 and (desk.prepares == 1 or interrupts)
        row.open = 1 if row.free > 0 or desk.places == 1 or wanted or (interrupts and row.touched == 1) else 0
        row.touched = 0


def find_worst(s: State) -> None:
    """Note for every processor whom of those that run there others interrupt first; none on those that do not preempt at once."""
    for index in range(len(s.processors)):
        s.processors[index].worst = NONE
    if s.desk[0].preempts == 0:
        return
    for index in range(s.desk[0].running):
        slot = s.running[index]
        row = s.processors[s.slots[slot].processor]
        if row.preempts == AT_ONCE and s.slots[slot].state == RUNNING and (row.worst == NONE or is_worse(s, slot, row.worst)):
            row.worst = slot


def reckon_earned(s: State, slot: int) -> None:
    """Say whether a head's start is promised work; whatever has begun is, and all is where nothing is promised to anybody."""
    c = s.slots[slot]
    if c.begun == 1:
        c.earned = max(c.earned, 1 - c.parked)
    elif s.desk[0].promises == 0:
        c.earned = 1
    elif s.tenants[c.tenant].rate > 0.0:
        c.earned = 1 if has_earned(s, c.tenant, 0) == 1 else has_earned(s, c.tenant, may_lead(s, slot))
    else:
        c.earned = 0


def sift(s: State) -> int:
    """Keep of the candidates those that might start; return who goes first, as `first` does.

    Note any, ready or running, whose order is not a number.
    """
    desk = s.desk[0]
    find_worst(s)
    count = 0
    best, leader = NONE, NONE
    for index in range(desk.ready):
        slot = s.ready[index]
        if not s.slots[slot].value < NOT_NOW:
            check(s, slot)
        elif _might_start(s, slot):
            if leader == NONE or goes_first(s, slot, leader):
                best, leader = count, slot
            s.ready[count] = slot
            count += 1
            s.processors[s.slots[slot].processor].heads = desk.decision
    desk.ready = count
    for index in range(desk.running):
        check(s, s.running[index])
    return best if desk.bad == SOUND else NONE


def check(s: State, slot: int) -> None:
    """Note a candidate whose order is not a number."""
    if s.slots[slot].value != s.slots[slot].value:
        s.desk[0].bad = NOT_A_NUMBER
        s.desk[0].culprit = slot


def first(s: State) -> int:
    """Return the index in `ready` of whoever goes first among those that might start, NONE if there is nobody."""
    best = NONE
    if s.desk[0].bad != SOUND:
        return best
    for index in range(s.desk[0].ready):
        slot = s.ready[index]
        if (best == NONE or goes_first(s, slot, s.ready[best])) and s.slots[slot].value < NOT_NOW and _might_start(s, slot):
            best = index
    return best


def has_room(s: State) -> bool:
    """Say whether there may be a lane for anybody where there are candidates: free, or of what might be interrupted."""
    desk = s.desk[0]
    found = desk.places == 1
    for index in range(len(s.processors)):
        row = s.processors[index]
        interrupts = desk.preempts == 1 and (row.worst != NONE or row.preempts == BY_CLASS)
        found = found or (row.heads == desk.decision and (row.free > 0 or interrupts))
    return found


def _might_start(s: State, slot: int) -> bool:
    c = s.slots[slot]
    desk = s.desk[0]
    blocks = desk.blocked == desk.decision
    if blocks and s.stages[c.position].blocked == desk.decision:
        return False
    if desk.places == 1 and c.parked == 0:
        return True
    if blocks and is_blocked(s, c.position):
        return False
    row = s.processors[c.processor]
    if row.free > 0 or row.preempts == AT_BOUNDARIES or desk.preempts == 0:
        return row.free > 0
    if row.preempts == BY_CLASS:
        return s.tenants[c.tenant].critical == 1
    return row.worst != NONE and is_worse(s, row.worst, slot)


def is_anybody_back(s: State, slot: int, processor: int) -> bool:
    """Say whether somebody who goes before a head that waits runs on a processor, and will at once be back there with its next segment."""
    row = s.processors[processor]
    for lane in range(row.lane, row.lane + row.lanes):
        other = s.lanes[lane].running
        if other != NONE and _stays(s, other) and goes_first(s, other, slot):
            return True
    return False


def _stays(s: State, slot: int) -> bool:
    """Say whether the next segment of what runs is on the same processor."""
    c = s.slots[slot]
    return c.stage + 1 < c.stages and s.stages[s.options[c.option].stage + c.stage + 1].processor == c.processor


def is_blocked(s: State, position: int) -> bool:
    """Say whether somebody ahead waits for several lanes of a stage's processor."""
    return s.processors[s.stages[position].processor].blocked == s.desk[0].decision


def goes_first(s: State, one: int, other: int) -> bool:
    """Say who of two goes first: who has begun where that holds its lanes, who has earned it, who can be in time, by order, by turn."""
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
    mine, theirs = turn(s, one), turn(s, other)
    if mine != theirs:
        return mine < theirs
    if a.arrival_ns != b.arrival_ns:
        return a.arrival_ns < b.arrival_ns
    return a.request < b.request


def lanes_for(s: State, slot: int, position: int, lanes: Ints) -> int:
    """Write the lanes for a step: open ones, then those of the worst that can yield one lane; return how many were found."""
    stage = s.stages[position]
    c = s.slots[slot]
    found = find_open(s, position, s.tenants[c.tenant].critical, lanes)
    if s.desk[0].preempts == 0 or c.earned == 0 or s.processors[stage.processor].preempts != BY_CLASS or s.tenants[c.tenant].critical == 0:
        return found
    while found < stage.width:
        victim = _lane_to_yield(s, slot, stage.processor, lanes, found)
        if victim == NONE:
            break
        lanes[found] = victim
        found += 1
    return found


def _lane_to_yield(s: State, slot: int, processor: int, lanes: Ints, found: int) -> int:
    """Return the lane whose request goes last of those that go after a slot and may yield, of equals the first; NONE if there is none."""
    worst, last = NONE, slot
    for lane in range(s.processors[processor].lane, s.processors[processor].lane + s.processors[processor].lanes):
        taken = False
        for index in range(found):
            taken = taken or lanes[index] == lane
        if taken or not can_yield(s, lane):
            continue
        if _goes_after(s, s.lanes[lane].running, last):
            worst, last = lane, s.lanes[lane].running
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


def _may_be_preempted(s: State, other: int, slot: int, processor: int) -> bool:
    c = s.slots[other]
    return c.state == RUNNING and c.processor == processor and is_worse(s, other, slot)


def is_worse(s: State, one: int, other: int) -> bool:
    """Say whether one goes after the other for a reason that is worth an interruption: not by a tie."""
    a, b = s.slots[one], s.slots[other]
    return a.earned < b.earned if a.earned != b.earned else _goes_after(s, one, other)


def _goes_after(s: State, one: int, other: int) -> bool:
    """Say whether one goes after the other, whatever they have earned, and not by a tie."""
    a, b = s.slots[one], s.slots[other]
    if s.desk[0].late_last == 1 and a.late != b.late:
        return a.late > b.late
    return a.value > b.value
