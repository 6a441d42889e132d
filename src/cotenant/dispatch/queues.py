"""Two queues for each stage, live and late, in order of arrival or the newest first."""

from __future__ import annotations

from cotenant.dispatch.state import NONE, READY, StageRow, State
from cotenant.policy import NEVER_NS


def enqueue(s: State, slot: int) -> None:
    """Queue a slot at its stage: last, but one that is asked again goes before whoever arrived after it; newest first where that is so."""
    c = s.slots[slot]
    c.state = READY
    c.late = 0
    stage = s.stages[c.position]
    before = _behind_older(s, stage, slot) if stage.newest == 0 else _behind_newer(s, stage, slot)
    _link(s, stage, before, slot)
    if before == NONE:
        _come_up(s, stage)
    activate(s, c.position)


def _behind_older(s: State, stage: StageRow, slot: int) -> int:
    """Return whom a slot stands behind, NONE for nobody: the last, but of those that have not begun none that arrived later."""
    last = stage.live_last
    while last != NONE and s.slots[slot].begun == 0 and s.slots[last].begun == 0 and goes_before(s, slot, last):
        last = s.slots[last].before
    return last


def _behind_newer(s: State, stage: StageRow, slot: int) -> int:
    """Return whom a slot stands behind, NONE for nobody: the last of those that have begun, or arrived later if it has not itself."""
    last, after = NONE, stage.live
    while after != NONE and (s.slots[after].begun == 1 or (s.slots[slot].begun == 0 and goes_before(s, slot, after))):
        last, after = after, s.slots[after].next
    return last


def put_back(s: State, slot: int) -> None:
    """Queue a slot again that had been a head: before all but those that were also preempted, and go before it.

    So it costs no more where a backlog of hopeless requests, older ones among them, has grown meanwhile.
    """
    c = s.slots[slot]
    c.state = READY
    stage = s.stages[c.position]
    _come_up(s, stage)
    before, after = NONE, stage.late if c.late == 1 else stage.live
    while after != NONE and s.slots[after].parked == 1 and goes_before(s, after, slot):
        before, after = after, s.slots[after].next
    _link(s, stage, before, slot)
    activate(s, c.position)


def goes_before(s: State, one: int, other: int) -> bool:
    """Say whether one arrived before the other, or has the lesser number if they arrived together."""
    if s.slots[one].arrival_ns != s.slots[other].arrival_ns:
        return s.slots[one].arrival_ns < s.slots[other].arrival_ns
    return s.slots[one].request < s.slots[other].request


def dequeue(s: State, position: int, late: int) -> int:
    """Take the head of a stage's live or late queue; the queue must not be empty."""
    slot = s.stages[position].late if late == 1 else s.stages[position].live
    _leave(s, slot)
    return slot


def withdraw(s: State, slot: int) -> None:
    """Take a slot out of the queue where it waits, wherever it stands there."""
    if s.slots[slot].before == NONE:
        _come_up(s, s.stages[s.slots[slot].position])
    _leave(s, slot)


def settle_late(s: State, position: int, now_ns: int) -> None:
    """Move heads of a stage that can no longer be in time from live to late, where they keep the order that they had."""
    stage = s.stages[position]
    before = stage.late_last if stage.newest == 0 else NONE
    while stage.live != NONE and now_ns > stage.late_ns:
        head = stage.live
        _unlink(s, stage, head)
        s.slots[head].late = 1
        after = stage.late if before == NONE else s.slots[before].next
        while after != NONE and _is_newer(s, after, head):
            before, after = after, s.slots[after].next
        _link(s, stage, before, head)
        before = head
        _come_up(s, stage)


def _is_newer(s: State, one: int, other: int) -> bool:
    """Say whether one stands before the other where the newest goes first, behind what has begun."""
    if s.slots[one].begun != s.slots[other].begun:
        return s.slots[one].begun == 1
    return goes_before(s, one, other) if s.slots[one].begun == 1 else goes_before(s, other, one)


def next_late_ns(s: State) -> int:
    """Return the instant at which the next head of a tenant that drops late requests turns late, or NEVER_NS."""
    wake_ns = NEVER_NS
    for processor in range(len(s.processors)):
        row = s.processors[processor]
        for index in range(row.queue, row.queue + row.queued):
            stage = s.stages[s.active[index]]
            if stage.live != NONE and s.tenants[s.slots[stage.live].tenant].drop_late == 1 and s.slots[stage.live].due_ns < NEVER_NS:
                wake_ns = min(wake_ns, stage.late_ns + 1)
    return wake_ns


def is_any_queued(s: State) -> bool:
    """Say whether anything is queued anywhere."""
    found = False
    for processor in range(len(s.processors)):
        found = found or s.processors[processor].queued > 0
    return found


def activate(s: State, position: int) -> None:
    """List a stage among those with something queued."""
    stage = s.stages[position]
    if stage.active == NONE:
        row = s.processors[stage.processor]
        stage.active = row.queue + row.queued
        s.active[stage.active] = position
        row.queued += 1


def _come_up(s: State, stage: StageRow) -> None:
    """Note that a head has come up at a stage."""
    stage.touched = 1
    s.processors[stage.processor].news = 1


def _head(s: State, stage: StageRow, slot: int) -> None:
    """Make a slot, or nobody, the live head of a stage."""
    stage.live = slot
    if slot != NONE:
        stage.late_ns = s.slots[slot].due_ns - s.slots[slot].remaining_ns
        row = s.processors[stage.processor]
        row.late_ns = min(row.late_ns, stage.late_ns)


def _leave(s: State, slot: int) -> None:
    """Take a slot out of its queue; a stage with nobody left is listed no more."""
    position = s.slots[slot].position
    stage = s.stages[position]
    _unlink(s, stage, slot)
    if stage.live == NONE and stage.late == NONE:
        row = s.processors[stage.processor]
        row.queued -= 1
        last = s.active[row.queue + row.queued]
        s.active[stage.active] = last
        s.stages[last].active = stage.active
        stage.active = NONE


def _link(s: State, stage: StageRow, before: int, slot: int) -> None:
    """Put a slot behind another of its queue, live or late as it is itself; behind NONE it is the head."""
    c = s.slots[slot]
    c.before = before
    if before != NONE:
        c.next = s.slots[before].next
        s.slots[before].next = slot
    elif c.late == 1:
        c.next = stage.late
        stage.late = slot
    else:
        c.next = stage.live
        _head(s, stage, slot)
    if c.next != NONE:
        s.slots[c.next].before = slot
    elif c.late == 1:
        stage.late_last = slot
    else:
        stage.live_last = slot


def _unlink(s: State, stage: StageRow, slot: int) -> None:
    """Join those before and behind a slot of a queue."""
    c = s.slots[slot]
    if c.before != NONE:
        s.slots[c.before].next = c.next
    elif c.late == 1:
        stage.late = c.next
    else:
        _head(s, stage, c.next)
    if c.next != NONE:
        s.slots[c.next].before = c.before
    elif c.late == 1:
        stage.late_last = c.before
    else:
        stage.live_last = c.before
    c.before = NONE
    c.next = NONE
