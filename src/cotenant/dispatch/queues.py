"""Two queues for each stage, live and late, in order of arrival."""

from __future__ import annotations

from cotenant.dispatch.state import NONE, READY, StageRow, State
from cotenant.policy import NEVER_NS


def enqueue(s: State, slot: int) -> None:
    """Append a slot to the live queue of its stage."""
    c = s.slots[slot]
    c.state = READY
    c.late = 0
    stage = s.stages[c.position]
    c.next = NONE
    if stage.live == NONE:
        _head(s, stage, slot)
        _come_up(s, stage)
    else:
        s.slots[stage.live_last].next = slot
    stage.live_last = slot
    activate(s, c.position)


def put_back(s: State, slot: int) -> None:
    """Queue a slot again that had been a head: before all but those that were also preempted, and go before it.

    So it costs no more where a backlog of hopeless requests, older ones among them, has grown meanwhile.
    """
    c = s.slots[slot]
    c.state = READY
    stage = s.stages[c.position]
    _come_up(s, stage)
    before, after = NONE, stage.late if c.late == 1 else stage.live
    while after != NONE and s.slots[after].parked == 1 and _goes_before(s, after, slot):
        before, after = after, s.slots[after].next
    c.next = after
    if before != NONE:
        s.slots[before].next = slot
    elif c.late == 1:
        stage.late = slot
    else:
        _head(s, stage, slot)
    if after == NONE and c.late == 1:
        stage.late_last = slot
    elif after == NONE:
        stage.live_last = slot
    activate(s, c.position)


def _goes_before(s: State, one: int, other: int) -> bool:
    if s.slots[one].arrival_ns != s.slots[other].arrival_ns:
        return s.slots[one].arrival_ns < s.slots[other].arrival_ns
    return s.slots[one].request < s.slots[other].request


def dequeue(s: State, position: int, late: int) -> int:
    """Take the head of a stage's live or late queue; the queue must not be empty."""
    slot = _pop_late(s, position) if late == 1 else _pop_live(s, position)
    stage = s.stages[position]
    if stage.live == NONE and stage.late == NONE:
        row = s.processors[stage.processor]
        row.queued -= 1
        last = s.active[row.queue + row.queued]
        s.active[stage.active] = last
        s.stages[last].active = stage.active
        stage.active = NONE
    return slot


def settle_late(s: State, position: int, now_ns: int) -> None:
    """Move heads of a stage that can no longer be in time from live to late."""
    stage = s.stages[position]
    while stage.live != NONE and now_ns > stage.late_ns:
        head = _pop_live(s, position)
        c = s.slots[head]
        c.late = 1
        c.next = NONE
        if stage.late == NONE:
            stage.late = head
        else:
            s.slots[stage.late_last].next = head
        stage.late_last = head
        _come_up(s, stage)


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


def _pop_live(s: State, position: int) -> int:
    stage = s.stages[position]
    slot = stage.live
    _head(s, stage, s.slots[slot].next)
    if stage.live == NONE:
        stage.live_last = NONE
    s.slots[slot].next = NONE
    return slot


def _pop_late(s: State, position: int) -> int:
    stage = s.stages[position]
    slot = stage.late
    stage.late = s.slots[slot].next
    if stage.late == NONE:
        stage.late_last = NONE
    s.slots[slot].next = NONE
    return slot
