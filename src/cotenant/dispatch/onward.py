"""Segments that follow one another on a lane without a decision: when that is what would be decided."""

from __future__ import annotations

from cotenant.dispatch.events import count_segment, stand_at
from cotenant.dispatch.lanes import stop_running
from cotenant.dispatch.promises import next_earned_ns
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

    If nothing happens meanwhile: it went before all that wait, and has begun; others may only turn late, or earn what they are promised.
    `now_ns` where more may change: by the policy, where lanes are kept for wide work, where somebody is suspended, or waits for another
    part of a processor.
    """
    desk = s.desk[0]
    if desk.runs_on == 0 or desk.reserves == 1 or desk.resting == 1 or desk.blocked == desk.decision:
        return now_ns
    for lane in range(len(s.lanes)):
        if s.lanes[lane].suspended != NONE:
            return now_ns
    until_ns = NEVER_NS
    for processor in range(len(s.processors)):
        if s.processors[processor].queued > 0:
            until_ns = min(until_ns, s.processors[processor].late_ns)
    if desk.promises == 1:
        until_ns = min(until_ns, next_earned_ns(s, now_ns))
    return max(now_ns, until_ns)
