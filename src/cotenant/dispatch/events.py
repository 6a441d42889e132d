"""What may happen: a request arrives, a segment finishes or fails."""

from __future__ import annotations

from cotenant.dispatch.lanes import release
from cotenant.dispatch.queues import enqueue
from cotenant.dispatch.state import FREE, NONE, QUEUED_LATE, QUEUED_LIVE, State


def arrive(s: State, request: int, tenant: int, arrival_ns: int, due_ns: int) -> int:
    """Queue a request at the first stage of the option that is furthest behind its rate; return its slot.

    There must be a free slot: `s.free_slot[0] != NONE`.
    """
    slot = s.free_slot[0]
    s.free_slot[0] = s.r_next[slot]
    option = _route(s, tenant)
    s.k_served[option] += 1.0
    s.t_outstanding[tenant] += 1
    s.r_request[slot] = request
    s.r_tenant[slot] = tenant
    s.r_stage[slot] = s.k_stage[option]
    s.r_arrival_ns[slot] = arrival_ns
    s.r_due_ns[slot] = due_ns
    enqueue(s, slot)
    return slot


def finish(s: State, slot: int) -> int:
    """Take a finished segment off its lanes; queue the next stage and return 1, or end the request and return 0."""
    release(s, slot)
    stage = s.r_stage[slot] + 1
    option = s.q_option[stage - 1]
    if stage < s.k_stage[option] + s.k_stages[option]:
        s.r_stage[slot] = stage
        enqueue(s, slot)
        return 1
    end(s, slot)
    return 0


def fail(s: State, slot: int) -> None:
    """End a request whose segment failed."""
    release(s, slot)
    end(s, slot)


def end(s: State, slot: int) -> None:
    """Give the slot back; the request must be in no queue and on no lane."""
    s.t_outstanding[s.r_tenant[slot]] -= 1
    s.r_where[slot] = FREE
    s.r_request[slot] = NONE
    s.r_next[slot] = s.free_slot[0]
    s.free_slot[0] = slot


def flush(s: State) -> list[int]:
    """End every queued request; return the slots that they had."""
    slots = [slot for slot in range(len(s.r_request)) if s.r_where[slot] in (QUEUED_LIVE, QUEUED_LATE)]
    for stage in range(len(s.q_live)):
        s.q_live[stage] = s.q_live_last[stage] = s.q_late[stage] = s.q_late_last[stage] = NONE
    for slot in slots:
        end(s, slot)
    return slots


def _route(s: State, tenant: int) -> int:
    best = s.t_option[tenant]
    least = 1e300
    for option in range(s.t_option[tenant], s.t_option[tenant] + s.t_options[tenant]):
        behind = (s.k_served[option] + 1.0) / max(s.k_rate[option], 1e-18)
        if behind < least:
            best, least = option, behind
    return best
