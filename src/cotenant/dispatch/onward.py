"""Segments that follow one another on a lane without a decision: when that is what would be decided."""

from __future__ import annotations

from cotenant.dispatch.ask import Asks
from cotenant.dispatch.choose import goes_first, reckon_earned
from cotenant.dispatch.events import count_segment, stand_at
from cotenant.dispatch.lanes import stop_running
from cotenant.dispatch.promises import has_earned, next_earned_ns
from cotenant.dispatch.state import NONE, RUNNING, State
from cotenant.policy import NEVER_NS


def pass_on(s: State, slot: int, now_ns: int) -> None:
    """Let what runs begin its next segment on the lanes that it has; that must be on the same processor, and as wide."""
    c = s.slots[slot]
    stop_running(s, slot, now_ns)
    count_segment(s, slot)
    stand_at(s, slot, c.stage + 1)
    c.state = RUNNING
    c.late = 1 if c.due_ns < now_ns + c.remaining_ns else 0
    s.tenants[c.tenant].last_ns = now_ns


def steady_ns(s: State, now_ns: int) -> int:
    """Return until when whoever the last decision, at `now_ns`, has started would be started again at its next boundary.

    If nothing happens meanwhile: it went before all that wait, and has begun; others may only turn late, or earn what they are promised. An
    older request of its own tenant that might go before it there waits until it has ended.
    `now_ns` where more may change: by the policy, where somebody waits for several lanes or for another part of a processor, or where one
    was started by an interruption and might go elsewhere.
    """
    for lane in range(len(s.lanes)):
        if _may_move(s, lane) and s.slots[s.lanes[lane].running].since_ns == now_ns:
            return now_ns
    return _until_ns(s, now_ns)


def _until_ns(s: State, now_ns: int) -> int:
    """Return until when nobody turns late, nor earns what is promised; `now_ns` where more may change."""
    desk = s.desk[0]
    if desk.runs_on == 0 or desk.reserves == 1 or desk.resting == 1 or desk.blocked == desk.decision:
        return now_ns
    until_ns = NEVER_NS
    for processor in range(len(s.processors)):
        row = s.processors[processor]
        for index in range(row.queue, row.queue + row.queued):
            stage = s.stages[s.active[index]]
            if stage.width > 1:
                return now_ns
            if stage.live != NONE:
                until_ns = min(until_ns, stage.late_ns)
    if desk.promises == 1:
        until_ns = min(until_ns, next_earned_ns(s, now_ns))
    return max(now_ns, until_ns)


def stays_ns(s: State, asks: Asks, slot: int, now_ns: int) -> int:
    """Return until when what runs need not ask at its boundaries, after a decision at `now_ns` that was about others.

    `now_ns` where anybody of another tenant who waits by now might go before it there, or waits for several lanes. Nothing is changed.
    """
    until_ns = _until_ns(s, now_ns)
    c = s.slots[slot]
    if until_ns <= now_ns or c.state != RUNNING or _may_move(s, c.lane):
        return now_ns
    value, asked = c.value, c.asked
    asks.order(s, slot, now_ns)
    row = s.processors[c.processor]
    for index in range(row.queue, row.queue + row.queued):
        stage = s.stages[s.active[index]]
        if not (_is_behind(s, asks, stage.live, slot, now_ns) and _is_behind(s, asks, stage.late, slot, now_ns)):
            until_ns = now_ns
            break
    c.value, c.asked = value, asked
    return until_ns


def _is_behind(s: State, asks: Asks, head: int, slot: int, now_ns: int) -> bool:
    """Say whether a head of another tenant, if there is one, goes after what runs, be the lane as warm for it as may be."""
    if head == NONE or s.slots[head].tenant == s.slots[slot].tenant:
        return True
    c = s.slots[head]
    value, asked, earned = c.value, c.asked, c.earned
    asks.order(s, head, now_ns)
    reckon_earned(s, head)
    if c.begun == 0 and s.tenants[c.tenant].rate > 0.0:
        c.earned = max(c.earned, has_earned(s, c.tenant, 1))
    behind = goes_first(s, slot, head)
    c.value, c.asked, c.earned = value, asked, earned
    return behind


def _may_move(s: State, lane: int) -> bool:
    """Say whether what runs where somebody is suspended for it may go elsewhere at its next boundary.

    That lane is open to rank 0 alone, but is the last that it takes: it goes on there while no other is free.
    """
    slot = s.lanes[lane].running
    if slot == NONE or s.lanes[lane].suspended == NONE:
        return False
    return s.slots[slot].width > 1 or s.processors[s.slots[slot].processor].free > 0
