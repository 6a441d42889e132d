"""Two first-in-first-out queues for each stage: live and late."""

from __future__ import annotations

from cotenant.dispatch.state import NONE, QUEUED_LATE, QUEUED_LIVE, Ints, State
from cotenant.policy import NEVER_NS


def enqueue(s: State, slot: int) -> None:
    """Append a slot to the live queue of its stage."""
    stage = s.r_stage[slot]
    s.r_where[slot] = QUEUED_LIVE
    _append(s, s.q_live, s.q_live_last, stage, slot)


def dequeue(s: State, stage: int, late: int) -> int:
    """Take the head of a stage's live or late queue; the queue must not be empty."""
    return _pop(s, s.q_late if late else s.q_live, s.q_late_last if late else s.q_live_last, stage)


def settle_late(s: State, now_ns: int) -> None:
    """Move heads that can no longer be in time from live to late."""
    for stage in range(len(s.q_live)):
        limit_ns = now_ns + s.q_remaining_ns[stage]
        head = s.q_live[stage]
        while head != NONE and s.r_due_ns[head] < limit_ns:
            _pop(s, s.q_live, s.q_live_last, stage)
            s.r_where[head] = QUEUED_LATE
            _append(s, s.q_late, s.q_late_last, stage, head)
            head = s.q_live[stage]


def next_late_ns(s: State) -> int:
    """Return the instant at which the next head of a tenant that drops late requests turns late, or NEVER_NS."""
    wake_ns = NEVER_NS
    for stage in range(len(s.q_live)):
        head = s.q_live[stage]
        if head != NONE and s.t_drop_late[s.r_tenant[head]] == 1 and s.r_due_ns[head] < NEVER_NS:
            wake_ns = min(wake_ns, s.r_due_ns[head] - s.q_remaining_ns[stage] + 1)
    return wake_ns


def _append(s: State, first: Ints, last: Ints, stage: int, slot: int) -> None:
    s.r_next[slot] = NONE
    if first[stage] == NONE:
        first[stage] = slot
    else:
        s.r_next[last[stage]] = slot
    last[stage] = slot


def _pop(s: State, first: Ints, last: Ints, stage: int) -> int:
    slot = first[stage]
    first[stage] = s.r_next[slot]
    if first[stage] == NONE:
        last[stage] = NONE
    s.r_next[slot] = NONE
    return slot
